"""Validates Converse requests and answers by botocore's model, and what its validator leaves out:
the values of enums, patterns and greatest lengths. Prints the faults as a JSON list."""

import json
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

converse = botocore.session.get_session().get_service_model("bedrock-runtime").operation_model(
    "Converse"
)


def walk(shape, value, path):
    """Faults that ParamValidator does not look for."""
    if shape.type_name == "structure":
        if getattr(shape, "document_type", False):
            return
        for name, member in shape.members.items():
            if name in value:
                yield from walk(member, value[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from walk(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from walk(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        facts = shape.metadata
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value} is not one of {shape.enum}"
        if "pattern" in facts and not re.search(facts["pattern"], value):
            yield f"{path}: {value} is not of the form {facts['pattern']}"
        if len(value) > facts.get("max", len(value)):
            yield f"{path}: longer than {facts['max']}"


def faults(kind, body):
    """All faults of a request or an answer."""
    request = kind == "request"
    shape = converse.input_shape if request else converse.output_shape
    value = {"modelId": "amazon.nova-lite-v1:0", **body} if request else body
    report = ParamValidator().validate(value, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found or list(walk(shape, value, "body"))


with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps([faults(one["kind"], one["body"]) for one in json.load(file)]))
