"""How fast, how smooth and how exact answers reach Discord, measured beside a naive bot in the same run.

`python -m benchmarks` runs the bot, unmodified and as a process of its own, between two things that this package
controls: the loopback Discord of `playground.discord`, with rate limits and a simulated round trip, and an Ollama that
writes every token of every answer at a time known beforehand. All times are of the machine's monotonic clock, which
its processes share.
"""
