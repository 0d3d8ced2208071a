"""`ethogram down`."""

from ethogram.cli.console import out


def down() -> None:
    """Stop the workspace's servers; everything stored stays.

    Example: ethogram down
    """
    from ethogram.settings import read_settings
    from ethogram.wiring import stop_servers

    stopped = stop_servers(read_settings())
    out("stopped" if stopped else "nothing was running")
