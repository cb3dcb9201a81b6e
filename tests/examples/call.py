"""Calls an example's AWS Lambda function as Lambda does: call.py MODULE FUNCTION EVENT-AS-JSON."""

import importlib.util
import json
import sys

path, function, event = sys.argv[1:4]
spec = importlib.util.spec_from_file_location("example", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
try:
    print(json.dumps({"returned": getattr(module, function)(json.loads(event), None)}))
except Exception as error:  # Lambda reports any error by its class and its text
    print(json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}))
