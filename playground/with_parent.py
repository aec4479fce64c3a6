"""`python -m playground.with_parent MODULE ARGUMENTS...`: run a module that ends when its parent does.

The parent holds the other end of our standard input: when it is gone, however it went, the pipe is closed, and we tell
ourselves to end as an operator would. Without this a demo that was killed would leave a bot behind that looks for its
Discord for ever.
"""

import os
import runpy
import signal
import sys
import threading

_USAGE = "Usage: python -m playground.with_parent MODULE [ARGUMENTS...], with a pipe as standard input"
_WRONG_USAGE = 64
_STDIN = 0


def _end_with_stdin() -> None:
    # Not sys.stdin: a thread that waits inside a buffered reader makes the interpreter abort when it ends.
    while os.read(_STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Run the module as `python -m` would; it ends the process."""
    if not arguments:
        sys.stderr.write(f"{_USAGE}\n")
        return _WRONG_USAGE
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    sys.argv[1:] = arguments[1:]
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
