"""Checks Converse requests and answers with botocore's own model of bedrock-runtime.

Reads a list of {request, answer} from a file; prints what botocore finds wrong, a line each.
"""

import base64
import json
import sys

import botocore.session
from botocore.validate import ParamValidator

service = botocore.session.get_session().get_service_model("bedrock-runtime")
operation = service.operation_model("Converse")


def with_bytes(value, shape):
    """Blobs are bytes in Python, and base64 in JSON."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {k: with_bytes(v, members[k]) if k in members else v for k, v in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [with_bytes(item, shape.member) for item in value]
    return base64.b64decode(value) if shape.type_name == "blob" else value


for pair in json.load(open(sys.argv[1])):
    for shape, value in (
        (operation.input_shape, {"modelId": "m", **pair["request"]}),
        (operation.output_shape, pair["answer"]),
    ):
        report = ParamValidator().validate(with_bytes(value, shape), shape)
        if report.has_errors():
            print(report.generate_report())
