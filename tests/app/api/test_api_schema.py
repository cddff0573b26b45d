"""The API does what its OpenAPI document says, whatever it is sent."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.factories import some_heroes, some_teams

API = "http://localhost/api"
# Any: what stands in a document.
Operations = Sequence[APIOperation[Any, Any, Any, Any]]

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@pytest.fixture
async def operations(client: Client, session: AsyncSession) -> Operations:
    """The operations of an API with something in it, as its own document names them."""
    teams = await some_teams(session, 2)
    await some_heroes(session, 3, teams[0])
    document = (await client.get("/api/openapi.json")).json()
    # The client is let in by its cookie, with which a missing token is no mistake.
    del document["security"]
    schema = from_dict(document)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@settings(max_examples=120, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data(), id=st.sampled_from(["1", "2", "99", None]))
async def test_every_operation_answers_as_it_is_documented(
    client: Client,
    operations: Operations,
    data: st.DataObject,
    id: str | None,
) -> None:
    operation = data.draw(st.sampled_from(operations))
    mode = data.draw(st.sampled_from(GenerationMode))
    case: Case[Any] = data.draw(operation.as_strategy(generation_mode=mode))
    # What is made up names hardly ever a record that is there.
    if id is not None and "id" in case.path_parameters:
        case.path_parameters["id"] = id
    sent = case.as_transport_kwargs(base_url=API)
    # This client keeps its own.
    sent.pop("cookies", None)
    if isinstance(sent.get("data"), bytes):
        sent["content"] = sent.pop("data")
    answer = await client.request(**sent)
    case.validate_response(answer.response, checks=CHECKS)
