"""The core of SSML that is read, and the sentence for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import TextError
from runtime.text.passage import Passage
from runtime.text.ssml import MAX_BREAK_SECONDS, is_ssml, parse_ssml
from tests.conftest import sentence_of


def flat(body: str) -> list[Passage]:
    passages = parse_ssml(f"<speak>{body}</speak>")
    return [Passage(" ".join(passage.text.split()), passage.rate, passage.pause) for passage in passages]


@pytest.mark.parametrize(("text", "ssml"), [
    ("<speak>hi</speak>", True), (' \n<speak version="1.1">', True), ('<?xml version="1.0"?>\n<speak>', True),
    ("<speaker>", False), ("a <speak>", False), ("hello", False), ("", False), ("<speak/>", True),
])
def test_what_counts_as_ssml(text: str, ssml: bool) -> None:
    assert is_ssml(text) == ssml


@pytest.mark.parametrize(("body", "expected"), [
    ("Hello &amp; bye.", [Passage("Hello & bye.")]),
    ("A<break/>b", [Passage("A"), Passage("b", pause=0.4)]),
    ('A<break time="250ms"/>b<break time="1.5s"/>', [Passage("A"), Passage("b", pause=0.25), Passage("", pause=1.5)]),
    ('A<break strength="strong"/><break strength="x-weak"/>b', [Passage("A"), Passage("b", pause=pytest.approx(0.8))]),
    ('A<break strength="none"/>b', [Passage("Ab")]),
    ('<break time="2s"/>b', [Passage("b", pause=2.0)]),
    ('<prosody rate="slow">a</prosody> b', [Passage("a", 0.8), Passage("b")]),
    ('<prosody rate="150%">a</prosody>', [Passage("a", 1.5)]), ('<prosody rate="-25%">a</prosody>', [Passage("a", 0.75)]),
    ('<prosody rate="+10%">a</prosody>', [Passage("a", 1.1)]), ('<prosody rate="1.2">a</prosody>', [Passage("a", 1.2)]),
    ('<prosody rate="x-fast">a <prosody rate="x-fast">b</prosody> c</prosody>',
     [Passage("a", 1.6), Passage("b", 2.0), Passage("c", 1.6)]),
    ('Room <say-as interpret-as="characters">B12</say-as>.', [Passage("Room b one two .")]),
    ('<say-as interpret-as="digits">407</say-as>', [Passage("four zero seven")]),
    ('<say-as interpret-as="telephone">555-0199</say-as>', [Passage("five five five, zero one nine nine")]),
    ('<say-as interpret-as="cardinal">1,024</say-as>', [Passage("one thousand and twenty four")]),
    ('<say-as interpret-as="ordinal">21</say-as>', [Passage("twenty first")]),
    ("", []),
])
def test_passages(body: str, expected: list[Passage]) -> None:
    assert flat(body) == expected


def test_sentences_and_paragraphs_end() -> None:
    (passage,) = parse_ssml("<speak><p><s>One</s><s>Two</s></p>Three</speak>")
    assert passage.text.split("\n\n") == ["One", "Two", "", "Three"]


@pytest.mark.parametrize(("document", "part"), [
    ("<speak>a", "well-formed"), ("<speak>a</p></speak>", "well-formed"), ("<speak>a & b</speak>", "well-formed"),
    ("<speak/><speak/>", "well-formed"), ("<speak><audio src='x'/></speak>", "audio"),
    ("<speak><voice name='x'>a</voice></speak>", "voice"), ("<speak><emphasis>a</emphasis></speak>", "emphasis"),
    ("<speak><prosody pitch='high'>a</prosody></speak>", "pitch"), ("<speak><prosody rate='9'>a</prosody></speak>", "rate"),
    ("<speak><prosody rate='quick'>a</prosody></speak>", "quick"), ("<speak><break time='soon'/></speak>", "soon"),
    ("<speak><break time='11s'/></speak>", "10s"), ("<speak><break strength='huge'/></speak>", "huge"),
    ("<speak><say-as interpret-as='date'>1</say-as></speak>", "plain text"), ("<speak><say-as>1</say-as></speak>", "say-as"),
    ("<speak><say-as interpret-as='ordinal'>first</say-as></speak>", "whole number"),
    ("<speak><say-as interpret-as='digits'><break/></say-as></speak>", "text only"),
    ("<speak><speak>a</speak></speak>", "speak"), ("<speak>" + "<p>" * 40 + "</p>" * 40 + "</speak>", "nested"),
    ("<!DOCTYPE speak><speak>a</speak>", "document type"),
    ('<!DOCTYPE s [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><speak>&c;</speak>', "document type"),
])
def test_what_is_refused(document: str, part: str) -> None:
    with pytest.raises(TextError) as error:
        parse_ssml(document)
    assert part in sentence_of(error)


PARTS = st.sampled_from(["word ", "1,024", "<break/>", "<break time='1s'/>", "<p>", "</p>", "<s>", "</s>", "&amp;", "&lt;", "<",
                         "<prosody rate='fast'>", "</prosody>", "<say-as interpret-as='characters'>", "</say-as>", "\0", "é",
                         "]]>"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, max_size=20))
def test_any_document_is_read_or_refused(parts: list[str]) -> None:
    try:
        passages = parse_ssml(f"<speak>{''.join(parts)}</speak>")
    except TextError:
        return
    assert all(0.5 <= passage.rate <= 2.0 for passage in passages)
    assert all(passage.pause is None or 0 < passage.pause <= MAX_BREAK_SECONDS for passage in passages)
    assert sum(passage.text.count("word ") for passage in passages) <= parts.count("word ")
