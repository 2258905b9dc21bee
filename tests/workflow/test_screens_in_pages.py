"""Long lists and texts in screens that a phone shows whole."""

from collections.abc import Sequence

import pytest

from workflow.screens import SCREEN_CHARACTERS, cut, screen_size, wrapped

NEXT, BACK = "99. Next", "98. Back"


def keys(has_previous: bool, has_next: bool) -> Sequence[str]:
    return [NEXT] * has_next + [BACK] * has_previous


@pytest.mark.parametrize(
    ("text", "taken", "room"),
    [("x" * 160, 160, 160), ("\u20ac" * 80, 160, 160), ("\u00f1", 1, 160), ("\u00ea", 1, 80), ("\U0001f600", 2, 80)],
)
def test_a_screen_is_measured_as_it_travels(text: str, taken: int, room: int) -> None:
    size = screen_size(text)
    assert (size.taken, size.room, size.fits) == (taken, room, True)


@pytest.mark.parametrize("letter", ["x", "\u00ea", "\u20ac", "\U0001f600"])
@pytest.mark.parametrize("length", [1, 30, 60])
def test_a_page_has_as_many_lines_as_it_may_and_as_fit(letter: str, length: int) -> None:
    lines = [f"{number}. {letter * length}" for number in range(23)]

    pages = cut(["Choose"], lines, 5, keys)

    shown = [line for page in pages for line in page.split("\n") if line not in ("Choose", NEXT, BACK)]
    assert shown == lines
    fullest = [page.count("\n") - len([key for key in (NEXT, BACK) if key in page]) for page in pages]
    assert max(fullest) <= 5
    longest = len(lines[-1].encode("utf-16-be")) // 2 + len(f"Choose\n\n{NEXT}\n{BACK}")
    for page in pages:
        assert screen_size(page).fits or (max(fullest) == 1 and longest > screen_size(page).room)
    assert [NEXT in page for page in pages] == [True] * (len(pages) - 1) + [False]
    assert [BACK in page for page in pages] == [False] + [True] * (len(pages) - 1)


def test_a_list_that_fits_is_cut_by_its_lines_alone() -> None:
    assert cut(["T"], ["a", "b", "c"], 2, keys) == [f"T\na\nb\n{NEXT}", f"T\nc\n{BACK}"]
    assert cut([], ["a", "b"], 2, keys) == ["a\nb"]


def test_a_long_line_is_cut_between_words_and_loses_none() -> None:
    words = "Mahindi maharage mchele nyanya vitunguu sukuma viazi " * 12

    lines = list(wrapped(words, [NEXT, BACK]))

    assert " ".join(lines).split() == words.split()
    assert all(screen_size(f"{line}\n{NEXT}\n{BACK}").fits for line in lines)
    assert len(lines) < len(words) / 100


@pytest.mark.parametrize("letter", ["x", "\u20ac", "\u00ea", "\U0001f600", " "])
def test_a_line_without_a_word_that_fits_is_cut_anywhere(letter: str) -> None:
    lines = list(wrapped(letter * 700, [NEXT]))
    assert all(screen_size(f"{line}\n{NEXT}").fits for line in lines)
    assert "".join(lines).strip() == (letter * 700).strip()


def test_what_fits_is_left_as_it_is() -> None:
    assert list(wrapped("a\n\n b ", [NEXT])) == ["a", "", " b "]


def test_the_longest_text_that_a_template_may_render_is_cut_too() -> None:
    assert len(list(wrapped("wimbi " * 44_000, [NEXT, BACK]))) > 264_000 / SCREEN_CHARACTERS
