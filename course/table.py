"""Tables for the terminal: plain text, columns aligned, numbers to the right."""


def as_text(header, rows):
    """Return a table as text.

    Args:
        header: list of str. The column names.
        rows: list of lists. Numbers are right-aligned and shown without needless zeros.
    """
    shown = [[_shown(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *shown, strict=True)]
    right = [
        bool(rows) and all(_is_number(row[column]) for row in rows) for column in range(len(header))
    ]
    lines = [
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [header, ["-" * width for width in widths], *shown]
    ]
    return "\n".join(lines)


def _is_number(value):
    return value is None or isinstance(value, int | float)


def _shown(value):
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
