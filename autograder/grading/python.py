"""Whether Python can read a cell, magics of IPython included."""

import warnings


def problem(source):
    """Return why a cell cannot be read, in half a sentence; an empty text where it can."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(TransformerManager().transform_cell(source), "<cell>", "exec")
    except SyntaxError as error:
        return f"line {error.lineno}, {error.msg}" if error.lineno else str(error.msg)
    except ValueError as error:
        return str(error)
    except (RecursionError, MemoryError):
        return "it is nested too deeply"
    except RuntimeError:
        return "it has too many magics"
    return ""


def can_be_read(source):
    """Say whether Python can read a cell."""
    return not problem(source)
