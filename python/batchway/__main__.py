"""``python -m batchway`` is the program ``batchway``."""

from batchway._launcher import main

if __name__ == "__main__":
    main()
