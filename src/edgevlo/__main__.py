"""Start the command line, so that Ctrl-C ends it quietly from the first import on."""

import io
import sys


def main() -> int:
    """Run the command line; return the exit code."""
    try:
        from edgevlo.cli import run

        if isinstance(sys.stdout, io.TextIOWrapper):  # an answer or a file name that the terminal cannot show
            sys.stdout.reconfigure(errors="backslashreplace")
        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
