"""What is asked and answered in `gatelog demo seed`: an invented shop's words, with gaps for names and numbers."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("Anna Lindqvist", "Tomas Novak", "Priya Raman", "Jonas Weber", "Mei Tanaka", "Lucia Ferrari", "Omar Haddad")
PRODUCTS = ("trail lamp", "rain jacket", "two-person tent", "steel bottle", "merino shirt", "camping stove", "dry bag")
CITIES = ("Hamburg", "Lyon", "Gdansk", "Turin", "Utrecht", "Porto", "Graz")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

Pairs = tuple[tuple[str, str], ...]
"""What is asked, and what is answered."""


@dataclass(frozen=True, slots=True)
class PromptText:
    """A version of a prompt."""

    system: str
    why: str
    """Its commit message."""


SUPPORT = (
    PromptText(
        "You answer customers of {{company}}, a shop for outdoor gear. Be polite and helpful.",
        "First version, from the old help desk macros",
    ),
    PromptText(
        "You answer customers of {{company}}, a shop for outdoor gear.\n\n"
        "- Answer in at most four sentences.\n"
        "- Say what happens next, and when.\n"
        "- Never promise a refund before the parcel is back.",
        "Shorter answers; say what happens next",
    ),
    PromptText(
        "You answer customers of {{company}}, a shop for outdoor gear.\n\n"
        "- Answer in at most four sentences, in the customer's language.\n"
        "- Say what happens next, and when.\n"
        "- Never promise a refund before the parcel is back.\n"
        "- If the order number is missing, ask for it and for nothing else.",
        "Ask for a missing order number instead of guessing",
    ),
    PromptText(
        "You answer customers of {{company}}, a shop for outdoor gear.\n\n"
        "- Answer in at most three sentences, in the customer's language.\n"
        "- Say what happens next, and when.\n"
        "- Never promise a refund before the parcel is back.\n"
        "- If the order number is missing, ask for it and for nothing else.\n"
        "- Address the customer by name: {{customer}}.",
        "Candidate: three sentences, and the customer's name",
    ),
)
MEETINGS = (
    PromptText(
        "Summarise the notes of a meeting for people who were not there.",
        "First version",
    ),
    PromptText(
        "Summarise the notes of a meeting of the team {{team}} for people who were not there.\n\n"
        "Write three parts: **Decided**, **Open**, **Next**. Each item under Next has a name and a day.",
        "Three parts, and every task has an owner",
    ),
)

SUPPORT_PAIRS: Pairs = (
    (
        "Hi, my order {order} was meant to arrive on {day} and the tracking page has not moved since. Where is it?",
        "I am sorry about the wait. Your order {order} is at the sorting centre in {city} and missed one truck; "
        "it is on "
        "the next one, so it should be with you by {day}. If it has not arrived by then, reply here and we send a new "
        "{product} the same day.",
    ),
    (
        "The {product} I ordered is too small. Can I swap it for the next size? Order {order}.",
        "Of course. I have reserved the next size for you and attached a return label to order {order}; drop "
        "the parcel at "
        "any post office. As soon as it is scanned there, usually within a day, the new {product} leaves our "
        "warehouse.",
    ),
    (
        "You charged my card twice for {order}!! Please fix this today.",
        "You are right to ask: I see two entries for order {order}. One of them is only a reservation, which your bank "
        "releases by itself within three working days, and just one amount was collected. If both are still there on "
        "{day}, send us the statement and we sort it out with the bank.",
    ),
    (
        "Does the {product} come with a warranty? I bought it in {city} last summer.",
        "Yes, every {product} has a warranty of two years, wherever it was bought. Keep the receipt from "
        "{city}, and send "
        "a photo of the damage to this address if something breaks. We repair first, and replace what cannot be "
        "repaired.",
    ),
    (
        "Kann ich meine Bestellung {order} noch an eine andere Adresse in {city} schicken lassen?",
        "Ja, das geht noch: Die Bestellung {order} wird erst heute Abend verpackt. Bitte antworten Sie mit der neuen "
        "Adresse in {city}, dann ändern wir sie, und das Paket kommt am {day}.",
    ),
    (
        "My parcel came open and the {product} is missing. What now?",
        "I am sorry, that should not happen. Could you tell me the order number? With it I can report the "
        "parcel to the "
        "carrier and send the missing {product} again.",
    ),
    (
        "I want to cancel {order}, I found it cheaper.",
        "Order {order} has not left yet, so I have cancelled it; the amount is back on your card within three to five "
        "working days. If the cheaper shop has the same {product}, send us the link: we match prices within 14 days.",
    ),
    (
        "Is the {product} back in stock soon? I need it for a trip on {day}.",
        "A new delivery of the {product} reaches us on {day}, which would be too late for your trip by post. "
        "Our store in "
        "{city} has four left: shall I put one aside for you there?",
    ),
)
MEETING_PAIRS: Pairs = (
    (
        "checkout rewrite: {name} showed the new address form, error rate down by a third in the test. "
        "discussion about "
        "apple pay, legal still looking at terms. launch planned {day} if load test ok. someone must tell support. "
        "returns page unchanged until spring.",
        "**Decided**\n- The new address form goes live on {day} if the load test passes.\n- The returns page "
        "stays as it "
        "is until spring.\n\n**Open**\n- Apple Pay: legal is reading the terms.\n\n**Next**\n- {name}: load "
        "test, before "
        "{day}\n- {name}: tell support about the launch, {day}",
    ),
    (
        "warehouse {city}: picking errors up again, mostly {product}, two shelves have nearly the same label. "
        "{name} wants "
        "scanners, 14k. trial with one aisle first. inventory on {day}, need four people.",
        "**Decided**\n- Scanners are tried in one aisle before any are bought.\n\n**Open**\n- Whether 14,000 "
        "for scanners "
        "pays off; picking errors with the {product} come from two labels that look alike.\n\n**Next**\n- {name}: new "
        "labels for the two shelves, {day}\n- {name}: four people for the inventory, {day}",
    ),
    (
        "retro: deploys took 50 min, cache was cold. {name} fixed the runner image. on-call handover unclear twice. "
        "proposal: written handover every {day}. flaky test in search still flaky.",
        "**Decided**\n- On-call is handed over in writing every {day}.\n\n**Open**\n- A test of the search "
        "still fails now "
        "and then.\n\n**Next**\n- {name}: measure deploys with the new runner image, {day}\n- {name}: find the "
        "cause of "
        "the flaky test, {day}",
    ),
)
SEARCH_PAIRS: Pairs = (
    (
        "warm {product} under 80 euros, blue, delivered before {day}",
        '{{"query": "{product}", "filters": {{"color": "blue", "max_price_eur": 80, "deliver_by": "{day}"}}, '
        '"sort": "relevance"}}',
    ),
    (
        "which {product} can I pick up in {city} today",
        '{{"query": "{product}", "filters": {{"store": "{city}", "in_stock": true}}, "sort": "distance"}}',
    ),
    (
        "present for a hiker, not too expensive",
        '{{"query": "gift hiking", "filters": {{"max_price_eur": 40}}, "sort": "popularity"}}',
    ),
    (
        "{product} like the one from order {order} but lighter",
        '{{"query": "{product} lightweight", "filters": {{"similar_to_order": "{order}"}}, "sort": "weight"}}',
    ),
)
CODING_PAIRS: Pairs = (
    (
        "Write a Python function that groups orders by ISO week and sums their totals.",
        "```python\nfrom collections import defaultdict\nfrom decimal import Decimal\n\n\ndef weekly_totals(orders):\n"
        "    totals = defaultdict(Decimal)\n    for order in orders:\n        year, week, _ = "
        "order.placed_on.isocalendar()\n"
        "        totals[year, week] += order.total\n    return dict(totals)\n```\n\nThe key has the ISO year: "
        "around New "
        "Year it differs from the calendar's. `Decimal` keeps cents exact.",
    ),
    (
        "Why is this slow? SELECT * FROM orders WHERE date(created_at) = '2026-03-02'",
        "`date(created_at)` is computed for every row, so an index on `created_at` cannot be used. Ask for a range "
        "instead:\n\n```sql\nSELECT id, total\nFROM orders\nWHERE created_at >= '2026-03-02'\n  AND created_at < "
        "'2026-03-03';\n```\n\nNaming the columns in place of `*` also lets a covering index answer alone.",
    ),
    (
        "Our React list re-renders all 2,000 rows when one checkbox changes. What is the usual way out?",
        "Three things, in this order:\n\n1. Keep the selection in a `Set` next to the list, and pass each row only "
        "`selected={{ids.has(row.id)}}`.\n2. Wrap the row in `memo`, and give it callbacks that stay the same "
        "(`useCallback`).\n3. If it is still slow, draw only what is visible, with a virtual list.\n\nThe first "
        "two are "
        "usually enough.",
    ),
    (
        "Regex for order numbers: two letters, dash, six digits. {order} must match.",
        "`^[A-Z]{{2}}-\\d{{6}}$` matches `{order}`. With `fullmatch` the anchors are not needed:\n\n```python\n"
        'ORDER = re.compile(r"[A-Z]{{2}}-\\d{{6}}")\nassert ORDER.fullmatch("{order}")\n```',
    ),
)
TRANSLATE_PAIRS: Pairs = (
    ("Your parcel has left our warehouse.", "Ihr Paket hat unser Lager verlassen."),
    ("The {product} is available again.", "Der Artikel ({product}) ist wieder verfügbar."),
    ("Please rate your purchase.", "Bitte bewerten Sie Ihren Einkauf."),
    ("Returns are free within 30 days.", "Les retours sont gratuits pendant 30 jours."),
    ("We have changed our opening hours in {city}.", "Nous avons modifié nos horaires d'ouverture à {city}."),
    ("Order {order} is ready for collection.", "La commande {order} est prête à être retirée."),
)
KNOWLEDGE = (
    "Shipping. Parcels leave the warehouse on the day of the order if it is placed before 14:00 on a working "
    "day. Delivery "
    "takes one to three working days in Germany, France, the Netherlands and Poland, and up to five elsewhere in the "
    "European Union. A parcel that has not moved for three working days is reported to the carrier; the "
    "customer gets a "
    "replacement at once if the goods are in stock. ",
    "Returns. Customers may send anything back within 30 days, unused and in its packaging. Labels are free. "
    "The amount is "
    "paid back within three working days after the parcel has been scanned in our warehouse, to the card it came from. "
    "Sale items are exchanged or paid back as a voucher. Exchanges are sent when the carrier has scanned the return. ",
    "Payment. Cards are charged when the parcel leaves. Before that the bank shows a reservation, which disappears by "
    "itself; customers often take it for a second charge. Invoices are payable within 14 days. Prices are "
    "matched within "
    "14 days for the same article at a shop that has it in stock. ",
    "Warranty. Two years on everything, five on tents and stoves. Repairs are free in that time and take about "
    "ten working "
    "days. What cannot be repaired is replaced by the same or the next model. A receipt, also a photo of it, is "
    "enough. ",
    "Stores. Hamburg, Lyon, Gdansk, Turin, Utrecht, Porto and Graz. Articles can be put aside for two days. "
    "Opening hours "
    "are 10:00 to 19:00, on Saturdays to 18:00. Stores take returns of the web shop. ",
)
"""What the answers of the support rest on: passages that are found and sent along."""
SYSTEMS = {
    "search": "Turn what a visitor types into a query of our catalogue, as JSON with query, filters and sort.",
    "coding": "You help the developers of a web shop. Answer briefly, with code where it helps.",
    "translate": "Translate the text of a shop. Keep names and numbers as they are.",
}
