"""Text data: characters, their numbers, and the rows that words become."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynets.data import TextCodec
from tinynets.errors import DataError
from tinynets.foreign_text import printable

LETTERS = st.characters(exclude_characters=".", exclude_categories=["Cs"])
words_of = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=20)


def says(message: str) -> str:
    return f"^{re.escape(message)}$"


def lesson_rows(words: list[str], numbers: dict[str, int], size: int) -> tuple[list[list[int]], list[int]]:
    """The rows as the lesson builds them, one character at a time."""
    x, y = [], []
    for word in words:
        context = [0] * size
        for character in [*word, "."]:
            x.append(list(context))
            y.append(numbers[character])
            context = [*context[1:], numbers[character]]
    return x, y


@given(words_of, st.integers(1, 8))
def test_rows_are_those_of_the_lesson(words: list[str], size: int) -> None:
    codec = TextCodec.of(words, size)
    numbers = {character: i for i, character in enumerate([".", *sorted(set("".join(words)))])}
    x, y = codec.rows(words)
    assert x.dtype == y.dtype == np.int64
    assert (x.tolist(), y.tolist()) == lesson_rows(words, numbers, size)


@given(words_of)
def test_decode_undoes_encode(words: list[str]) -> None:
    codec = TextCodec.of(words, 3)
    text = ".".join(words)
    assert codec.decode(codec.encode(text)) == text


def test_the_window_holds_the_last_characters_behind_dots() -> None:
    codec = TextCodec(".abc", 3)
    assert codec.decode(codec.window("")) == "..."
    assert codec.decode(codec.window("b")) == "..b"
    assert codec.decode(codec.window("abcca")) == "cca"


@pytest.mark.parametrize("unknown", ["B", "é", "\0", "-", "😀"])
def test_an_unknown_character_is_named_with_those_that_are_known(unknown: str) -> None:
    codec = TextCodec(".abc", 3)
    with pytest.raises(DataError, match=says(f"`{printable(unknown)}` is not a known character; known are `.abc`")):
        codec.encode(f"ab{unknown}c")


@pytest.mark.parametrize("number", [-1, 4])
def test_a_number_without_a_character_is_refused(number: int) -> None:
    with pytest.raises(DataError, match=says(f"no character has the number {number}; they go from 0 to 3")):
        TextCodec(".abc", 3).decode([1, number])


@pytest.mark.parametrize("word", ["", "a.b"])
def test_a_word_that_is_empty_or_holds_the_end_mark_is_refused(word: str) -> None:
    message = says(f"a word must be one or more characters other than `.`, got {word!r}")
    with pytest.raises(DataError, match=message):
        TextCodec(".abc", 3).rows(["a", word])


def test_no_words_are_refused() -> None:
    with pytest.raises(DataError, match=says("there are no words to make rows of")):
        TextCodec(".abc", 3).rows([])


@pytest.mark.parametrize(
    ("characters", "context", "message"),
    [
        ("abc", 3, "`characters` must start with `.`, got 'abc'"),
        (".aba", 3, "`characters` must be different, got '.aba'"),
        (".ab", 0, "`context` must be 1 to 256, got 0"),
        (".ab", True, "`context` must be a whole number, got True"),
    ],
)
def test_a_codec_that_cannot_work_is_refused(characters: str, context: int, message: str) -> None:
    with pytest.raises(DataError, match=says(message)):
        TextCodec(characters, context)
