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
    ("<speaker>", False),
    ("\ufeff<speak>hi</speak>", True), ("<!-- note -->\n<speak>hi</speak>", True),
    ('<!DOCTYPE speak PUBLIC "-//W3C//DTD">\n<speak>hi</speak>', True), ("a <speak>", False),
    ("hello", False), ("", False), ("<speak/>", True),
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
    ('<sub alias="World Wide Web Consortium">W3C</sub>', [Passage("World Wide Web Consortium")]),
    ('<phoneme alphabet="ipa" ph="dʒɪf">GIF</phoneme>', [Passage("[GIF](/ʤˈɪf/)")]),
    ('<phoneme alphabet="x-arpabet" ph="JH IH1 F">GIF</phoneme>', [Passage("[GIF](/ʤˈɪf/)")]),
    ('a <emphasis level="strong">b</emphasis> c', [Passage("a b c")]),
    ('A<break time=".5s"/>b', [Passage("A"), Passage("b", pause=0.5)]),
    ('<say-as interpret-as="digits">-12.5</say-as>', [Passage("minus one two point five")]),
    ('<say-as interpret-as="telephone">+1 (555) 010-9999</say-as>',
     [Passage("plus one, five five five, zero one zero, nine nine nine nine")]),
    ('<say-as interpret-as="characters">Zoë</say-as>', [Passage("z o e")]),
    ('<say-as interpret-as="time">9.30pm</say-as>', [Passage("9:30 pm")]),
    ('<say-as interpret-as="date">2026-11-24</say-as>', [Passage("2026-11-24")]),
    ('<say-as interpret-as="unit">5 kg</say-as>', [Passage("5 kg")]),
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
    ("<speak><voice name='x'>a</voice></speak>", "voice"), ("<speak><lang xml:lang='de'>a</lang></speak>", "English only"),
    ("<speak><phoneme ph='ty'>a</phoneme></speak>", "nearest is 'u'"),
    ("<speak><phoneme alphabet='x-sampa' ph='a'>a</phoneme></speak>", "x-arpabet"),
    ("<speak><prosody pitch='high'>a</prosody></speak>", "pitch"), ("<speak><prosody rate='9'>a</prosody></speak>", "rate"),
    ("<speak><prosody rate='quick'>a</prosody></speak>", "quick"), ("<speak><break time='soon'/></speak>", "soon"),
    ("<speak><break time='11s'/></speak>", "10s"), ("<speak><break strength='huge'/></speak>", "huge"),
    ("<speak><say-as interpret-as='music'>1</say-as></speak>", "telephone"), ("<speak><say-as>1</say-as></speak>", "say-as"),
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "shift_jis", "koi8-r", "cp1252", "no-such-encoding"])
def test_the_encoding_that_a_document_names_means_nothing(encoding: str) -> None:
    (passage,) = parse_ssml(f'<?xml version="1.0" encoding="{encoding}"?><speak>café</speak>')
    assert passage.text == "café"


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
