"""Start the command line, so that Ctrl-C ends it quietly from the first import on."""

import sys


def main() -> int:
    """Run the command line; return the exit code."""
    try:
        from edgevlo.cli import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
