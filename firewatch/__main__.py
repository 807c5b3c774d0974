"""`python -m firewatch` is the command `firewatch`."""

from firewatch.cli.main import main

if __name__ == "__main__":
    main()
