"""A progress bar for bytes that arrive, where a person can see it."""

import contextlib


@contextlib.contextmanager
def progress(name, total):
    """Show a bar on standard error, in a terminal or notebook; yield what advances it.

    Args:
        name: str. What stands before the bar.
        total: int. The number of bytes; 0 where nobody knows.
    """
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
    except ImportError:
        yield lambda count: None
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    shown = console.is_terminal or console.is_jupyter
    with Progress(*columns, console=console, disable=not shown) as bar:
        task = bar.add_task(name, total=total or None)
        yield lambda count: bar.update(task, advance=count)
