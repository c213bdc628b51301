"""What an SMS costs, and an offer cut to two segments: the septets of the standard, counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.gateways.graphemes import graphemes
from offers.gateways.payload import CannotBuild
from offers.gateways.sms_text import is_gsm, plain, segments, sms_text, stop_mention

from .messages import NOW, message, without

STOP = "36180"
TAIL = "Code 7K3M-ZQ8V-0T, jusqu'à 12 h 30. STOP au 36180"  # 49 septets
FAMILY = "👨‍👩‍👧"  # one grapheme of 5 code points: 8 UTF-16 units


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 80 + "a", 2),
        ("€" * 152, 2),  # 76 fit in 153 septets: the last one stays empty, for an escape is never split
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 151, 2),  # 305 septets, and one lost before the escape
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 153 + "€" + "a" * 151, 2),
        ("àéèùìòÇÄÖÑÜäöñü§¿¡£$¥ØøÅåÆæßÉΔΦΓΛΩΠΨΣΘΞ" * 4, 1),  # 152: all of the basic table
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("ê" * 134, 2),
        ("ê" * 135, 3),
        ("a" * 69 + "ê", 1),  # one such letter makes all of it UCS-2
        ("a" * 70 + "ê", 2),
        ("😀" * 35, 1),  # two units each
        ("😀" * 36, 2),
        ("😀" * 66, 2),  # 33 fit in 67 units
        ("😀" * 67, 3),
    ],
)
def test_segments_are_counted_as_the_standard_says(text: str, count: int) -> None:
    assert segments(text) == count


def test_the_alphabet_has_no_more_than_the_standard_gives() -> None:
    told = [chr(point) for point in range(0x3000) if is_gsm(chr(point))]
    assert len(told) == 127 + 10  # the basic table without the escape, and the extension with its form feed
    assert max(told) == "€"
    assert not is_gsm("ê") and not is_gsm("ç") and not is_gsm("À") and not is_gsm("\x1b")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("−30 % sur l’œuf « bio »…", '-30 % sur l\'oeuf "bio"...'),
        ("une\u00a0ligne\n et une\u202fautre\t!", "une ligne et une autre !"),
        ("cafe\u0301 — thé – lait", "café - thé - lait"),
        ("Crêpes à 2 €", "Crêpes à 2 €"),  # letters stay, whatever they cost
    ],
)
def test_typography_is_made_plain_and_letters_stay(given: str, told: str) -> None:
    assert plain(given) == told


@pytest.mark.parametrize(
    ("language", "number", "told"),
    [
        ("fr", "36180", "STOP au 36180"),
        ("en", "36180", "STOP to 36180"),
        ("fr", "", "Répondez STOP pour arrêter"),
        ("en", "", "Reply STOP to opt out"),
    ],
)
def test_every_sms_says_how_to_stop(language: str, number: str, told: str) -> None:
    assert stop_mention(language=language, stop_number=number) == told
    assert sms_text(message(language=language), stop_number=number, now=NOW).endswith(plain(f". {told}"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, f"-30 % sur vos yaourts. Au rayon frais. {TAIL}"),
        ({"body": ""}, f"-30 % sur vos yaourts. {TAIL}"),
        ({"title": "Vite !"}, f"Vite ! Au rayon frais. {TAIL}"),
        (
            {"language": "en", "title": "30% off yoghurt", "body": "In the chilled aisle"},
            "30% off yoghurt. In the chilled aisle. Code 7K3M-ZQ8V-0T, until 12:30. STOP to 36180",
        ),
        ({"is_sensitive": True}, f"Une offre vous attend. Ouvrez l'application pour la voir. {TAIL}"),
    ],
)
def test_an_offer_in_one_sms(changes: dict[str, object], told: str) -> None:
    assert sms_text(message(**changes), stop_number=STOP, now=NOW) == told


@pytest.mark.parametrize(
    ("at", "french", "english"),
    [
        ("2026-03-14T12:00:00+01:00", "jusqu'à 12 h", "until 12:00"),
        ("2026-03-15T00:05:00+01:00", "jusqu'au 15 mars à 0 h 05", "until 00:05 on 15 March"),
        ("2026-04-01T09:30:00+02:00", "jusqu'au 1er avril à 9 h 30", "until 09:30 on 1 April"),
        ("2026-03-14T23:30:00+14:00", "jusqu'au 14 mars à 23 h 30", "until 23:30 on 14 March"),
    ],
)
def test_the_end_is_told_on_the_customers_clock(at: str, french: str, english: str) -> None:
    data = {"valid_until": at}
    told = [sms_text(message(data=data, language=one), stop_number=STOP, now=NOW) for one in ("fr", "en")]
    assert f". {french}. STOP" in told[0] and f". {english}. STOP" in told[1]


@pytest.mark.parametrize("value", ["", "soon", "2026-03-14T12:30:00"])
def test_an_end_that_cannot_be_told_is_left_out(value: str) -> None:
    made = message(data={"code": "7K3M-ZQ8V-0T", "valid_until": value})
    assert sms_text(made, stop_number=STOP, now=NOW).endswith("frais. Code 7K3M-ZQ8V-0T. STOP au 36180")


def test_a_long_text_loses_its_end_and_keeps_code_and_stop() -> None:
    told = sms_text(message(body="yaourt " * 60), stop_number=STOP, now=NOW)
    assert told == f"-30 % sur vos yaourts. {'yaourt ' * 32}yaourt... {TAIL}"
    assert (len(told), segments(told)) == (306, 2)


def test_a_text_in_ucs2_is_cut_to_134_units_and_never_within_a_character() -> None:
    told = sms_text(without("valid_until", body=FAMILY * 30), stop_number=STOP, now=NOW)
    head = "-30 % sur vos yaourts. "
    tail = "... Code 7K3M-ZQ8V-0T. STOP au 36180"  # 36 units
    assert told == head + FAMILY * 9 + tail  # 23 + 72 + 36 = 131 units: a tenth family would make 139
    assert segments(told) == 2


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(CannotBuild, match="PAYLOAD_NOT_UNICODE"):
        sms_text(message(title="\ud800"), stop_number=STOP, now=NOW)
    with pytest.raises(CannotBuild, match="PAYLOAD_TOO_LARGE"):
        sms_text(message(data={"code": "7" * 320}), stop_number=STOP, now=NOW)


TEXTS = st.text(alphabet=st.sampled_from("ab €[ê😀👍🏽é\u0301\u200d.!"), max_size=400)


@given(title=st.text(alphabet="abc ê€", min_size=1, max_size=40).filter(str.strip), body=TEXTS)
def test_as_much_is_told_as_fits(title: str, body: str) -> None:
    one_line, stripped = " ".join(title.split()), body.strip()
    head = plain(f"{one_line}. {stripped}" if stripped else one_line)
    whole = f"{head} {TAIL}" if head.endswith((".", "!")) else f"{head}. {TAIL}"
    clusters = graphemes(head)
    cuts = [f"{''.join(clusters[:n]).rstrip()}... {TAIL}" for n in range(len(clusters), 0, -1)]
    longest = next(told for told in (whole, *cuts) if segments(told) <= 2)

    assert sms_text(message(title=title, body=body), stop_number=STOP, now=NOW) == longest
