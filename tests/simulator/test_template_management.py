"""The management API for templates: creation, review by the clock, edits, deletion, and the webhooks of each change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import AUTHORISED, LEA, Bot, Simulator, Start, eventually

pytestmark = pytest.mark.asyncio

ACCOUNT = "/v26.0/200000000000001/message_templates"
DAY = 24 * 3600
# A little longer than the settings say.
REVIEW = 3601
STATUS = "message_template_status_update"


def entry(name: str = "sent", text: str = "Your order {{1}} has left our shop.", **changes: Any) -> dict[str, Any]:
    """Return the body of a creation."""
    made = {"type": "BODY", "text": text, "example": {"body_text": [["1002"]]}}
    return {"name": name, "language": "en_US", "category": "UTILITY", "components": [made], **changes}


async def ask(simulator: Simulator, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    """Call the Graph API and hold the status against the expected one."""
    async with simulator.http.request(method, simulator.url(path), json=body, headers=AUTHORISED) as answer:
        content: dict[str, Any] = await answer.json()
        assert answer.status == status, content
        return content


async def create(simulator: Simulator, *args: Any, **changes: Any) -> str:
    """Create a template; return its id."""
    return str((await ask(simulator, "POST", ACCOUNT, entry(*args, **changes)))["id"])


async def refusal(simulator: Simulator, method: str, path: str, body: Any = None) -> tuple[int, Any, str]:
    """Return code, subcode and words of what is refused."""
    error = (await ask(simulator, method, path, body, 400))["error"]
    return error["code"], error.get("error_subcode"), error.get("error_user_msg") or error["error_data"]["details"]


async def pass_time(simulator: Simulator, seconds: float) -> None:
    """Move the clock."""
    await simulator.post("clock", {"advance_seconds": seconds})


async def approved(simulator: Simulator, **changes: Any) -> str:
    """Create a template and let its review pass."""
    made = await create(simulator, **changes)
    await pass_time(simulator, REVIEW)
    assert (await ask(simulator, "GET", f"/v26.0/{made}"))["status"] == "APPROVED"
    return made


async def told(bot: Bot, field: str, count: int) -> list[dict[str, Any]]:
    """Wait for so many webhooks of a field."""
    values: list[dict[str, Any]] = await eventually(
        lambda: len(bot.values(field)) >= count and bot.values(field), f"{count} of {field}"
    )
    return values


def shipped(name: str = "sent", language: str = "en_US") -> dict[str, Any]:
    """Return a message of a created template."""
    filled = {"type": "body", "parameters": [{"type": "text", "text": "1002"}]}
    return {"type": "template", "template": {"name": name, "language": {"code": language}, "components": [filled]}}


async def test_review_takes_its_time_and_is_told(simulator: Simulator, bot: Bot) -> None:
    """Pending, not sendable; after the review time approved, told to the bot, and sendable."""
    answer = await ask(simulator, "POST", ACCOUNT, entry())
    assert (answer["status"], answer["category"], sorted(answer)) == (
        "PENDING",
        "UTILITY",
        ["category", "id", "status"],
    )
    message = {"messaging_product": "whatsapp", "to": f"+{LEA}", **shipped()}
    status, refused = await simulator.graph(message)
    assert (status, refused["error"]["code"]) == (404, 132001)

    await pass_time(simulator, REVIEW)
    assert await told(bot, STATUS, 1) == [
        {
            "event": "APPROVED",
            "message_template_id": int(answer["id"]),
            "message_template_name": "sent",
            "message_template_language": "en-US",
            "message_template_category": "UTILITY",
            "reason": "NONE",
        }
    ]
    (envelope,) = bot.bodies
    assert set(envelope["entry"][0]) == {"id", "time", "changes"}
    wamid = await simulator.send(shipped())
    assert (await simulator.chat())[0]["text"] == "Your order 1002 has left our shop."
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")


async def test_review_passes_by_itself(start: Start, bot: Bot) -> None:
    """Nobody has to move the clock."""
    simulator = await start(review_seconds=0.01)
    await create(simulator)
    assert [value["event"] for value in await told(bot, STATUS, 1)] == ["APPROVED"]


async def test_review_can_be_left_to_the_operator(start: Start, bot: Bot) -> None:
    """With a manual review nothing happens by itself."""
    simulator = await start(review_seconds=None)
    made = await create(simulator)
    await pass_time(simulator, 30 * DAY)
    assert (await ask(simulator, "GET", f"/v26.0/{made}"))["status"] == "PENDING"
    await simulator.put("templates/sent/en_US", {"status": "APPROVED"})
    assert [value["event"] for value in await told(bot, STATUS, 1)] == ["APPROVED"]


async def test_created_template_is_listed_and_looked_up(simulator: Simulator) -> None:
    """With the usual fields, or those that are named."""
    made = await create(simulator, message_send_ttl_seconds=600)
    (listed,) = (await ask(simulator, "GET", f"{ACCOUNT}?name=sent"))["data"]
    assert listed == await ask(simulator, "GET", f"/v26.0/{made}")
    assert listed == {"id": made, "status": "PENDING", "parameter_format": "POSITIONAL", **entry()} | {
        "message_send_ttl_seconds": 600
    }
    fields = await ask(simulator, "GET", f"/v26.0/{made}?fields=name,quality_score,rejected_reason")
    assert fields == {"id": made, "name": "sent", "quality_score": {"score": "UNKNOWN"}, "rejected_reason": "NONE"}


async def test_restart_keeps_created_edited_and_deleted_templates(start: Start, bot: Bot, tmp_path: Path) -> None:
    """What was created goes on being reviewed, what was edited stays, what was deleted stays away."""
    database = tmp_path / "simulator.db"
    before = await start(database_path=database)
    made = await approved(before)
    waiting = await create(before, "waiting", "Your parcel {{1}} is still on its way.")
    sale = (await ask(before, "GET", f"{ACCOUNT}?name=spring_sale"))["data"][0]["id"]
    await ask(before, "POST", f"/v26.0/{sale}", {"components": [{"type": "BODY", "text": "Tudo por nada."}]})
    await ask(before, "DELETE", f"{ACCOUNT}?name=picture")
    await before.stop()

    after = await start(database_path=database)
    await pass_time(after, REVIEW)
    listed = {one["id"]: one for one in (await ask(after, "GET", f"{ACCOUNT}?limit=100"))["data"]}
    assert (listed[made]["status"], listed[waiting]["status"]) == ("APPROVED", "APPROVED")
    assert (listed[sale]["status"], listed[sale]["components"][0]["text"]) == ("APPROVED", "Tudo por nada.")
    assert "picture" not in {one["name"] for one in listed.values()}
    assert (await refusal(after, "POST", ACCOUNT, entry("picture")))[1] == 2388023
    await after.post("reset")
    names = {one["name"] for one in (await after.get("templates"))["templates"]}
    assert ("sent" in names, "picture" in names) == (False, True)


async def test_new_texts_are_told(simulator: Simulator, bot: Bot) -> None:
    """An edit of the components tells them, one of the lifetime does not."""
    made = await create(simulator)
    await simulator.put("templates/sent/en_US", {"status": "REJECTED"})
    await ask(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 60})
    await simulator.put("templates/sent/en_US", {"status": "REJECTED"})
    buttons = [
        {"type": "QUICK_REPLY", "text": "Thanks"},
        {"type": "URL", "text": "Track", "url": "https://shop.example/track"},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+4930901820000"},
    ]
    components = [
        {"type": "HEADER", "format": "TEXT", "text": "Good news"},
        {"type": "BODY", "text": "Your order is here."},
        {"type": "FOOTER", "text": "STOP ends this."},
        {"type": "BUTTONS", "buttons": buttons},
    ]
    await ask(simulator, "POST", f"/v26.0/{made}", {"components": components})
    assert await told(bot, "message_template_components_update", 1) == [
        {
            "message_template_id": int(made),
            "message_template_name": "sent",
            "message_template_language": "en-US",
            "message_template_title": "Good news",
            "message_template_element": "Your order is here.",
            "message_template_footer": "STOP ends this.",
            "message_template_buttons": [
                {"message_template_button_type": "QUICK_REPLY", "message_template_button_text": "Thanks"},
                {
                    "message_template_button_type": "URL",
                    "message_template_button_text": "Track",
                    "message_template_button_url": "https://shop.example/track",
                },
                {
                    "message_template_button_type": "PHONE_NUMBER",
                    "message_template_button_text": "Call",
                    "message_template_button_phone_number": "+4930901820000",
                },
            ],
        }
    ]


async def test_created_code_template_is_sent(simulator: Simulator) -> None:
    """Its text is Meta's, the code goes into text and button."""
    otp = {"type": "OTP", "otp_type": "COPY_CODE"}
    components = [
        {"type": "BODY"},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [otp]},
    ]
    await approved(simulator, name="code", category="AUTHENTICATION", components=components)
    code = [{"type": "text", "text": "4711"}]
    sent = [
        {"type": "body", "parameters": code},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
    ]
    template = {"name": "code", "language": {"code": "en_US"}, "components": sent}
    await simulator.send({"type": "template", "template": template})
    (message,) = await simulator.chat()
    assert message["text"] == "*4711* is your verification code."
    assert message["footer"] == "This code expires in 5 minutes."


async def test_edit_is_reviewed_again(simulator: Simulator, bot: Bot) -> None:
    """Pending, then approved with the new words; the category of an approved template stays."""
    made = await approved(simulator)
    assert (await refusal(simulator, "POST", f"/v26.0/{made}", {"category": "MARKETING"}))[2] == (
        "The category of an approved template cannot be changed."
    )
    new = entry(text="The parcel {{1}} is yours from today on.")["components"]
    assert await ask(simulator, "POST", f"/v26.0/{made}", {"components": new}) == {"success": True}
    assert (await ask(simulator, "GET", f"/v26.0/{made}"))["status"] == "PENDING"
    await pass_time(simulator, REVIEW)
    events = [value["event"] for value in await told(bot, STATUS, 3)]
    assert events == ["APPROVED", "PENDING", "APPROVED"]
    await simulator.send(shipped())
    assert (await simulator.chat())[0]["text"] == "The parcel 1002 is yours from today on."


@pytest.mark.parametrize(
    ("status", "can"),
    [
        ("APPROVED", True),
        ("REJECTED", True),
        ("PAUSED", True),
        ("PENDING", False),
        ("DISABLED", False),
        ("ARCHIVED", False),
    ],
)
async def test_only_some_can_be_edited(simulator: Simulator, status: str, can: bool) -> None:
    """Approved, rejected and paused ones."""
    made = await approved(simulator)
    await simulator.put("templates/sent/en_US", {"status": status})
    answer = await ask(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 60}, 200 if can else 400)
    assert ("success" in answer) is can


@pytest.mark.parametrize(
    ("body", "subcode"),
    [
        ({}, 2388039),
        ({"components": [{"type": "BODY", "text": "{{1}} has left the shop today."}]}, 2388299),
        ({"message_send_ttl_seconds": 1}, 2388039),
        ({"components": [{"type": "BODY", "text": "Tudo pela metade."}]}, 2388039),
    ],
    ids=["nothing", "rule broken", "lifetime", "duplicate"],
)
async def test_edits_keep_the_rules(simulator: Simulator, body: dict[str, Any], subcode: int) -> None:
    """What would not have been created is no edit; it counts for nothing."""
    made = await approved(simulator)
    assert (await refusal(simulator, "POST", f"/v26.0/{made}", body))[1] == subcode
    await ask(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 60})


async def test_approved_template_is_edited_once_a_day(simulator: Simulator) -> None:
    """The second edit is refused until 24 hours have passed."""
    made = await approved(simulator)
    await ask(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 60})
    await pass_time(simulator, DAY - 60)
    words = (await refusal(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 61}))[2]
    assert words == "An approved template can be edited once in 24 hours."
    await pass_time(simulator, 61)
    await ask(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 61})


async def test_rejected_template_is_edited_ten_times_a_month(simulator: Simulator) -> None:
    """A rejected one may be mended at once, ten times; the eleventh when 30 days have passed."""
    made = await create(simulator)
    for seconds in range(60, 70):
        await simulator.put("templates/sent/en_US", {"status": "REJECTED"})
        await ask(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": seconds})
    await simulator.put("templates/sent/en_US", {"status": "REJECTED"})
    words = (await refusal(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 99}))[2]
    assert words == "A template can be edited 10 times in 30 days."
    await pass_time(simulator, 30 * DAY)
    await ask(simulator, "POST", f"/v26.0/{made}", {"message_send_ttl_seconds": 99})


async def test_rejected_template_may_change_its_category(simulator: Simulator) -> None:
    """Unlike an approved one."""
    made = await create(simulator)
    await simulator.put("templates/sent/en_US", {"status": "REJECTED"})
    await ask(simulator, "POST", f"/v26.0/{made}", {"category": "MARKETING"})
    assert (await ask(simulator, "GET", f"/v26.0/{made}"))["category"] == "MARKETING"


async def test_delete_takes_all_languages_and_locks_the_name(simulator: Simulator, bot: Bot) -> None:
    """By name all go; the name of an approved one is free after 30 days."""
    await approved(simulator)
    await create(simulator, language="de")
    assert await ask(simulator, "DELETE", f"{ACCOUNT}?name=sent") == {"success": True}
    assert (await ask(simulator, "GET", f"{ACCOUNT}?name=sent"))["data"] == []
    events = [(value["event"], value["message_template_language"]) for value in await told(bot, STATUS, 3)]
    assert sorted(events) == [("APPROVED", "en-US"), ("DELETED", "de"), ("DELETED", "en-US")]
    assert (await refusal(simulator, "POST", ACCOUNT, entry(language="fr")))[1] == 2388023
    await pass_time(simulator, 30 * DAY + 1)
    await create(simulator, language="fr")


async def test_delete_of_one_language(simulator: Simulator) -> None:
    """With the id, the other languages stay, and only this one is locked."""
    made = await approved(simulator)
    await create(simulator, language="de")
    await ask(simulator, "DELETE", f"{ACCOUNT}?name=sent&hsm_id={made}")
    assert [one["language"] for one in (await ask(simulator, "GET", f"{ACCOUNT}?name=sent"))["data"]] == ["de"]
    assert (await refusal(simulator, "POST", ACCOUNT, entry()))[1] == 2388023
    await create(simulator, language="fr")


async def test_name_that_was_never_approved_is_free(simulator: Simulator) -> None:
    """Only the name of an approved template is locked."""
    await create(simulator)
    await ask(simulator, "DELETE", f"{ACCOUNT}?name=sent")
    await create(simulator)


@pytest.mark.parametrize(
    "query",
    ["", "?name=nowhere", "?name=order_follow_up&hsm_id=1", "?name=disabled"],
    ids=["no name", "unknown", "another id", "disabled"],
)
async def test_what_cannot_be_deleted(simulator: Simulator, query: str) -> None:
    """A name is needed, what is not there cannot go, and a disabled one stays."""
    assert (await refusal(simulator, "DELETE", f"{ACCOUNT}{query}"))[0] == 100


async def test_unpause(simulator: Simulator, bot: Bot) -> None:
    """A paused template can be sent again; what is not paused is refused."""
    made = await approved(simulator)
    assert (await refusal(simulator, "POST", f"/v26.0/{made}/unpause"))[0] == 100
    await simulator.put("templates/sent/en_US", {"status": "PAUSED"})
    assert await ask(simulator, "POST", f"/v26.0/{made}/unpause") == {"success": True}
    assert (await ask(simulator, "GET", f"/v26.0/{made}"))["status"] == "APPROVED"
    assert (await told(bot, STATUS, 3))[-1]["other_info"]["title"] == "UNPAUSE"


async def test_what_is_there_already(simulator: Simulator) -> None:
    """Neither the same name and language, nor the same words under another name."""
    await create(simulator)
    assert (await refusal(simulator, "POST", ACCOUNT, entry()))[:2] == (100, 2388024)
    assert (await refusal(simulator, "POST", ACCOUNT, entry("other")))[1] == 2388039


async def test_hundred_creations_in_an_hour(simulator: Simulator) -> None:
    """The next one is refused until an hour has passed; what was refused does not count."""
    await refusal(simulator, "POST", ACCOUNT, entry("Bad"))
    for number in range(100):
        await create(simulator, f"number_{number}", f"Your order {{{{1}}}} is number {number}.")
    assert (await refusal(simulator, "POST", ACCOUNT, entry()))[0] == 80007
    await pass_time(simulator, 3601)
    await create(simulator)


async def test_account_is_full(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each language counts."""
    monkeypatch.setattr("rasa_whatsapp.simulator.template_management.MOST_TEMPLATES", 11)
    await create(simulator)
    assert (await refusal(simulator, "POST", ACCOUNT, entry(language="de")))[1] == 2388019


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v26.0/100000000000001/message_templates"),
        ("DELETE", "/v26.0/100000000000001/message_templates?name=picture"),
        ("POST", "/v26.0/100000000000001"),
        ("POST", "/v26.0/4711/unpause"),
    ],
)
async def test_other_ids_are_no_templates(simulator: Simulator, method: str, path: str) -> None:
    """A number is no account, and what is no template cannot be edited."""
    assert (await refusal(simulator, method, path, entry()))[:2] == (100, 33)


async def test_token_is_needed(simulator: Simulator) -> None:
    """Managing takes the token, as everything does."""
    async with simulator.http.post(simulator.url(ACCOUNT), json=entry()) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (401, 190)
