"""Markdown becomes WhatsApp's markup; what is no Markdown stays as it is, and nothing but marks is ever lost."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_whatsapp.cloud.markup import to_whatsapp


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        pytest.param("**bold**", "*bold*", id="bold"),
        pytest.param("__bold__", "*bold*", id="bold with underscores"),
        pytest.param("*italic*", "_italic_", id="italics"),
        pytest.param("_italic_", "_italic_", id="italics with underscores"),
        pytest.param("***both***", "*_both_*", id="both"),
        pytest.param("___both___", "*_both_*", id="both with underscores"),
        pytest.param("**_both_** _**both**_", "*_both_* _*both*_", id="both, nested"),
        pytest.param("~~gone~~", "~gone~", id="struck"),
        pytest.param("A **b c** d, *e f*!", "A *b c* d, _e f_!", id="in a sentence"),
        pytest.param("**a *b* c**", "*a _b_ c*", id="italics in bold"),
        pytest.param("*a **b** c*", "_a *b* c_", id="bold in italics"),
        pytest.param("**a *b***", "*a _b_*", id="italics at the end of bold"),
        pytest.param("**„Größe“** (**5 €**)", "*„Größe“* (*5 €*)", id="beside quotes and brackets"),
        pytest.param("这是**重点**内容", "这是*重点*内容", id="a script without blanks"),
        pytest.param("[Shop](https://s.example)", "Shop (https://s.example)", id="link"),
        pytest.param("[https://s.example](https://s.example)", "https://s.example", id="link that shows itself"),
        pytest.param("[](https://s.example)", "https://s.example", id="link without words"),
        pytest.param('[Shop](https://s.example "Ours")', "Shop Ours (https://s.example)", id="link with a title"),
        pytest.param("[Ä](https://w.example/a_(b))", "Ä (https://w.example/a_(b))", id="link with brackets"),
        pytest.param("[x](<https://s.example/a b>)", "x (https://s.example/a b)", id="link in angles"),
        pytest.param("[**Shop**](https://s.example)", "*Shop* (https://s.example)", id="bold in a link"),
        pytest.param("**[Shop](https://s.example)**", "*Shop (https://s.example)*", id="link in bold"),
        pytest.param("[Write](mailto:a@s.example)", "Write (a@s.example)", id="mail link"),
        pytest.param("[Call](tel:+4930)", "Call (+4930)", id="phone link"),
        pytest.param("![Bag](https://s.example/b.png)", "Bag (https://s.example/b.png)", id="picture"),
        pytest.param("# Prices", "*Prices*", id="heading"),
        pytest.param("a\n\n### Prices ###\nb", "a\n\n*Prices*\nb", id="heading closed"),
        pytest.param("## **Prices** now", "*Prices* now", id="bold in a heading"),
        pytest.param("## Use `a`", "*Use `a`*", id="code in a heading"),
        pytest.param("* one\n+ two\n- three\n  * four", "- one\n- two\n- three\n  - four", id="bullets"),
        pytest.param("* **one**: *x*", "- *one*: _x_", id="marks in a bullet"),
        pytest.param("```a``` **b**", "```a``` *b*", id="code at the start of a line is no fence"),
        pytest.param("**https://s.example/a_b**", "*https://s.example/a_b*", id="an address in bold"),
    ],
)
def test_markdown(markdown, shown):
    """Marks are rewritten."""
    assert to_whatsapp(markdown) == shown


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Hello, how can I help?\n\n1. One\n2. Two\n> said\n- dash", id="WhatsApp's own lists and quotes"),
        pytest.param("2*3*4 and 2**3**4 = 5 * 3 * 2", id="sums"),
        pytest.param("snake_case_name a__b__c", id="snake case"),
        pytest.param("**kwargs and * alone, 5* hotel, ** also **, ~~", id="lone marks"),
        pytest.param("** a **, * b *, ~~ c ~~, __ d __", id="blanks inside"),
        pytest.param("\\*no\\* \\_no\\_ \\# no \\[a](https://s.example)", id="escaped"),
        pytest.param("`**a**` ``*b* ` c`` ```**d**```", id="code"),
        pytest.param("```python\n**a**\n# b\n* c\n```", id="fenced"),
        pytest.param("~~~\n**a**\n~~~", id="fenced with tildes"),
        pytest.param("```\n**a** never closed", id="fence left open"),
        pytest.param("https://s.example/_a_/*b*/**c** www.s.example/__d__", id="addresses"),
        pytest.param("first_last_x@s.example __a__@s.example", id="mail addresses"),
        pytest.param("<https://s.example/_a_>", id="address in angles"),
        pytest.param(
            "[note] [note](see below) [a][b] a[i](j)\n[b]: https://s.example", id="brackets that link nothing"
        ),
        pytest.param("#order #1002\n#", id="hash tags"),
        pytest.param("* * *\n***\n___\n---", id="lines across"),
        pytest.param("+ 5 euros\n+ 49 30", id="a sum is no list"),
        pytest.param("*_both_*", id="bold italics as WhatsApp writes them"),
        pytest.param("**a\nb**", id="over two lines"),
        pytest.param("a | b\n--|--\n&amp; <b>c</b>", id="tables and HTML"),
    ],
)
def test_what_is_left_alone(text):
    """No Markdown, or Markdown that WhatsApp cannot show: not a letter is touched."""
    assert to_whatsapp(text) == text


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_characters="*_~`[]()#+\\!", exclude_categories=["Cs"]), max_size=200))
def test_text_without_marks_is_not_changed(text):
    """What holds no mark comes out as it came in."""
    assert to_whatsapp(text) == text


_PIECES = st.sampled_from(
    [
        *"*_~`\\#+-[]()!<>|\n ab1ä語🙂.:",
        "**",
        "__",
        "~~",
        "```",
        "\n\n",
        "\n* ",
        "\n# ",
        "word ",
        "https://s.example/a_b*c ",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_nothing_but_marks_is_lost(text):
    """Every letter, figure, picture and line break is there, in order, whatever marks stand around."""
    marks = regex.compile(r"[^\p{L}\p{N}\p{So}\n]")
    assert marks.sub("", to_whatsapp(text)) == marks.sub("", text)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_it_never_grows(text):
    """What fitted a limit as Markdown fits it as WhatsApp's markup, links apart."""
    assert len(to_whatsapp(text)) <= len(text) + text.count("](")


@pytest.mark.parametrize("piece", ["*a ", "**a ", "**a", "`a ", "[a ", "a", "_ ", "# ", "~~a ", "![a](", "\\*", "``` "])
def test_many_lone_marks_take_no_time(piece):
    """A long text of marks that close nothing is read through in reasonable time."""
    text = piece * 50_000
    assert len(to_whatsapp(text)) <= len(text)
