"""The OpenAPI file is valid, and what it gives as examples is what it asks for."""

import jsonschema
import pytest
import yaml
from openapi_spec_validator import validate

from support.server import REPOSITORY

DOCUMENT = yaml.safe_load((REPOSITORY / "openapi" / "pyralog.yaml").read_text())
METHODS = ("get", "head", "put", "post", "patch", "delete")


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def resolved(node):
    while "$ref" in node:
        found = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def contents():
    """Every schema of a body that has examples, with its place."""
    for name, operation in operations():
        bodies = [(f"{name} request", operation.get("requestBody", {}))]
        bodies += [(f"{name} {status}", resolved(response)) for status, response in operation["responses"].items()]
        for place, body in bodies:
            for content_type, content in body.get("content", {}).items():
                values = [example["value"] for example in content.get("examples", {}).values()]
                values += [content["example"]] if "example" in content else []
                for value in values:
                    yield pytest.param(content["schema"], value, id=f"{place} {content_type}")


def check(schema, value):
    rooted = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(
        rooted, format_checker=jsonschema.FormatChecker()).validate(value)


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)


@pytest.mark.parametrize("schema, value", contents())
def test_an_example_is_what_its_schema_asks_for(schema, value):
    check(schema, value)


@pytest.mark.parametrize("name", [name for name, schema in DOCUMENT["components"]["schemas"].items() if "example" in schema])
def test_a_schema_is_true_of_its_own_example(name):
    schema = DOCUMENT["components"]["schemas"][name]
    check(schema, schema["example"])


@pytest.mark.parametrize("name", [name for name, parameter in DOCUMENT["components"]["parameters"].items()
                                  if "example" in parameter])
def test_a_parameter_is_true_of_its_own_example(name):
    parameter = DOCUMENT["components"]["parameters"][name]
    check(parameter["schema"], parameter["example"])


def test_every_operation_has_a_name_a_summary_and_the_answers_that_all_have():
    names = []
    for place, operation in operations():
        names.append(operation["operationId"])
        assert operation["summary"] and operation["tags"], place
        assert {"400", "403", "408", "413", "414", "421", "431", "501", "503"} <= set(operation["responses"]), place
    assert len(set(names)) == len(names)


def test_every_error_answer_is_a_problem_document():
    for place, operation in operations():
        for status, response in operation["responses"].items():
            content = resolved(response).get("content", {})
            if int(status) >= 400 and not place.startswith("HEAD"):
                assert list(content) == ["application/problem+json"], f"{place} {status}"
