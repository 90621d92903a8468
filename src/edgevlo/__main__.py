"""Start the command line, so that Ctrl-C ends it quietly from the first import on."""

import io
import sys

from edgevlo.signals import Ended, give_up_streams, prepare


def main() -> int:
    """Run the command line; return the exit code."""
    try:
        prepare()
        from edgevlo.cli import run

        if isinstance(sys.stdout, io.TextIOWrapper):  # an answer or a file name that the terminal cannot show
            sys.stdout.reconfigure(errors="backslashreplace")
        return run(sys.argv[1:])
    except Ended as ended:
        return ended.code
    except KeyboardInterrupt:
        return 130
    finally:
        give_up_streams()


if __name__ == "__main__":
    sys.exit(main())
