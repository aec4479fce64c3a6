"""What `bot.files.apart` must be able to bear: a parser that wants more memory than there may be."""

from bot.files.apart import LARGEST_MEMORY, serve

if __name__ == "__main__":
    serve(lambda _: bytes(2 * LARGEST_MEMORY))
