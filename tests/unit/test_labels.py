"""Labels: any name that code has reads like English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hero_admin.model.labels import article_of, in_sentence, label_of, noun_of, plural_of


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("name", "Name"),
        ("name_", "Name"),
        ("_private", "Private"),
        ("secret_name", "Secret name"),
        ("is_active", "Is active"),
        ("isActive", "Is active"),
        ("dateOfBirth", "Date of birth"),
        ("customerTypeID", "Customer type ID"),
        ("CustomerID", "Customer ID"),
        ("customer_id", "Customer ID"),
        ("CustomerId", "Customer ID"),
        ("customerIDs", "Customer IDs"),
        ("HTTPServerURL", "HTTP server URL"),
        ("http_server_url", "HTTP server URL"),
        ("VATNumber", "VAT number"),
        ("emailAddress2", "Email address 2"),
        ("address2", "Address 2"),
        ("address_2", "Address 2"),
        ("line2Text", "Line 2 text"),
        ("sha256", "Sha256"),
        ("mp3File", "Mp3 file"),
        ("2ndName", "2nd name"),
        ("ID", "ID"),
        ("id", "ID"),
        ("uuid", "UUID"),
        ("ip", "IP"),
        ("x", "X"),
        ("xPosition", "X position"),
        ("planB", "Plan B"),
        ("UnitPrice", "Unit price"),
        ("DATE_OF_BIRTH", "Date of birth"),
        ("CUSTOMER_ID", "Customer ID"),
        ("FAX", "Fax"),
        ("SMTP", "SMTP"),
        ("straßeÖffnung", "Straße öffnung"),
        ("имяКлиента", "Имя клиента"),
        ("名前", "名前"),
        ("Order Date", "Order date"),
        ("__", "__"),
    ],
)
def test_a_column_has_a_label(name: str, label: str) -> None:
    assert label_of(name) == label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("team_id", "Team"),
        ("customerTypeID", "Customer type"),
        ("SupportRepId", "Support rep"),
        ("owner_uuid", "Owner"),
        ("country_fk", "Country"),
        ("reports_to", "Reports to"),
        ("maker_code", "Maker code"),
        ("id", "ID"),
    ],
)
def test_a_column_that_points_at_a_record_is_called_like_the_record(name: str, label: str) -> None:
    assert label_of(name, is_relation=True) == label


@pytest.mark.parametrize(
    ("name", "noun", "plural"),
    [
        ("Hero", "hero", "heroes"),
        ("CustomerType", "customer type", "customer types"),
        ("HTTPLog", "HTTP log", "HTTP logs"),
        ("APIKey", "API key", "API keys"),
        ("ShortURL", "short URL", "short URLs"),
        ("PlayListTrack", "play list track", "play list tracks"),
        ("order_line", "order line", "order lines"),
        ("Orders", "orders", "orders"),
    ],
)
def test_a_model_is_called_by_its_words(name: str, noun: str, plural: str) -> None:
    assert (noun_of(name), plural_of(noun_of(name))) == (noun, plural)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Secret name", "secret name"),
        ("Customer ID", "customer ID"),
        ("HTTP server URL", "HTTP server URL"),
        ("IDs", "IDs"),
        ("UUID", "UUID"),
        ("A1 size", "A1 size"),
        ("GitHub user", "GitHub user"),
        ("X position", "X position"),
        ("T-shirt", "T-shirt"),
        ("E", "E"),
        ("Straße", "straße"),
        ("Ö", "Ö"),
        ("", ""),
        ("Age", "age"),
    ],
)
def test_a_label_stands_in_a_sentence(label: str, words: str) -> None:
    assert in_sentence(label) == words


PLURALS = """
    address:addresses alias:aliases analysis:analyses appendix:appendices axis:axes baby:babies
    basis:bases bookshelf:bookshelves box:boxes branch:branches brief:briefs bus:buses buzz:buzzes
    canvas:canvases casino:casinos category:categories chairman:chairmen chassis:chassis
    chief:chiefs child:children children:children criteria:criteria deer:deer mice:mice women:women
    church:churches class:classes country:countries criterion:criteria crisis:crises
    customer:customers data:data datum:data day:days demo:demos epoch:epochs equipment:equipment
    foot:feet gas:gases
    grandchild:grandchildren half:halves hero:heroes human:humans index:indexes invoice:invoices
    iris:irises journey:journeys key:keys knife:knives leaf:leaves lens:lenses life:lives logo:logos
    man:men matrix:matrices medium:media menu:menus mouse:mice news:news person:people
    phenomenon:phenomena photo:photos piano:pianos potato:potatoes process:processes proof:proofs
    quiz:quizzes radio:radios roof:roofs salesperson:salespeople series:series shelf:shelves
    soliloquy:soliloquies species:species status:statuses stomach:stomachs story:stories
    superhero:superheroes tax:taxes team:teams thesis:theses thief:thieves tomato:tomatoes
    tooth:teeth veto:vetoes video:videos virus:viruses waltz:waltzes wife:wives wish:wishes
    wolf:wolves woman:women
"""


@pytest.mark.parametrize(("noun", "plural"), [tuple(pair.split(":")) for pair in PLURALS.split()])
def test_a_noun_has_its_plural(noun: str, plural: str) -> None:
    assert plural_of(noun) == plural
    assert plural_of(f"very good {noun}") == f"very good {plural}"


PHRASES = """
    a_team an_age an_ID a_UUID a_URL an_HTTP_log an_MBA an_SMS an_FAQ a_VAT_number a_PDF
    an_XML_file a_SIM_card a_RAM_size an_X_position a_T-shirt an_hour an_honest_answer an_heir
    a_hero a_house a_user a_unit a_unique_name a_union a_usage an_umbrella an_uncle a_use
    an_unidentified_object an_urgent_case an_uninstalled_app a_European_country a_euro a_one-off
    an_onion a_once-over a_year an_email an_IBAN an_8 an_11 an_18 a_1 a_180 an_80 a_uniform
    a_utility an_upper_limit a_1st an_8th a_2nd
"""


@pytest.mark.parametrize("phrase", PHRASES.split())
def test_a_noun_has_its_article(phrase: str) -> None:
    article, _, noun = phrase.replace("_", " ").partition(" ")
    assert article_of(noun) == article


@given(st.text(min_size=1))
def test_any_name_has_a_label_and_a_plural(name: str) -> None:
    assert label_of(name)
    assert plural_of(noun_of(name))
    assert in_sentence(label_of(name))
    assert article_of(in_sentence(label_of(name))) in {"a", "an"}
