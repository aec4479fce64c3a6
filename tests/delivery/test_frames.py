import re
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.pages import Pages
from bot.delivery.text import units
from tests.delivery.paging import SIZES

# Characters: a half-typed link, fence or run of markers, and a word; at the end of a page, what is read beyond it, too.
MOST_HELD, MOST_HELD_AT_PAGE_END = 72, 136
# A fence's line is long only if somebody makes it so; it shows with the first code below it.
LAST_FENCE = re.compile(r"[^\n]*(?:```|~~~)[^\n]*\n\s*\Z")
# Each "@" becomes a word that is nowhere else. Half of these begin something that never ends.
LINES = [
    *(
        "@ @ @. ",
        "**@ @** ",
        "||@|| ",
        "`@` ",
        "[@ @](https://a.b/@) ",
        "\n",
        "\n\n",
        "- @\n",
        "1. @ @\n",
        "## @\n",
        "> @\n",
    ),
    *(
        "```py\n@ = @\n\n@\n```\n",
        "~~~\n@\n~~~\n",
        "|@|@|\n|--|--|\n|@|@|\n",
        "@ | @\n-|-\n",
        "| @ | **@ @** |\n",
        "| @",
        "@ | ",
    ),
    *(
        "[" + "@ " * 60,
        "```" + "@ " * 60,
        "\n```" + "@" * 30,
        "<" + "@ " * 30,
        "[@](https://" + "@" * 12,
        "<https://" + "@" * 12,
    ),
    *(
        "\n|" + "@ " * 40,
        "\n" + "@ " * 40,
        "**@ ",
        "~~@ ",
        "`@ ",
        "*@ ",
        "_@ ",
        "\n~~~ @ ",
        "|@ @ @ @ @ |@\n|-|-|\n" + "|@|@ @ @ @ @|\n" * 20,
    ),
]
WORDY_TEXT = st.lists(st.sampled_from(LINES), max_size=40).map(lambda lines: numbered("".join(lines)))


def numbered(text: str) -> str:
    words = count(100)
    return re.sub("@", lambda _: f"w{next(words)}", text)


@settings(max_examples=150, deadline=None)
@given(WORDY_TEXT, SIZES, st.integers(1, 9))
def test_no_word_is_held_back_for_long(text: str, size: tuple[int, int, int], step: int) -> None:
    limit, first, last = size
    pages = Pages(limit=limit, first_reserve=first, last_reserve=last)
    for start in range(0, len(text), step):
        pages.feed(text[start : start + step])
        frame = pages.frame()
        shown = "".join(page.text for page in pages.closed) + frame
        ends_soon = units(frame) + MOST_HELD_AT_PAGE_END > limit - first - last
        most = MOST_HELD_AT_PAGE_END if ends_soon else MOST_HELD
        fed = text[: start + step]
        end = min(max(0, len(fed) - most), len(LAST_FENCE.sub("", fed)))
        written = re.findall(r"w\d+", fed[:end])
        assert set(written[:-1]) <= set(re.findall(r"w\d+", shown))
