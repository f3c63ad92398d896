"""`python -m gateway` is `gatelog`."""

from gateway.cli import main

if __name__ == "__main__":  # a worker that is spawned imports this file again
    main()
