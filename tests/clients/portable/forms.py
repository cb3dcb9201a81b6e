"""One file in each dialect: how records are written, and how results are read."""

import json

CLAUDE = "anthropic.claude-3-5-haiku-20241022-v1:0"

# Bodies are texts, as their bytes are to come back: spaces, and numbers that JSON would print anew.
TEXT, MORE = "@TEXT@", "@MORE@"
BODIES = {
    "bedrock-converse": '{"messages": [{"role":"user","content":[{"text": @TEXT@}]}], "inferenceConfig":{"maxTokens":100, "temperature":0.50}@MORE@}',
    "bedrock-anthropic": '{"anthropic_version":"bedrock-2023-05-31", "max_tokens":100,"temperature":0.50,"messages":[{"role":"user","content": @TEXT@}]@MORE@}',
    "bedrock-nova": '{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text": @TEXT@}]}],"inferenceConfig":{"maxTokens": 100}@MORE@}',
    "bedrock-llama": '{"prompt": @TEXT@,"max_gen_len":100, "temperature":0.50@MORE@}',
    "bedrock-openai": '{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content": @TEXT@}],"max_completion_tokens":100@MORE@}',
    "openai-chat": '{"model":"gpt-4o-mini", "messages":[{"role":"user","content": @TEXT@}],"max_completion_tokens":100@MORE@}',
    "openai-responses": '{"model":"gpt-4o-mini", "input": @TEXT@,"max_output_tokens":100@MORE@}',
    "gemini": '{"contents":[{"role":"user", "parts":[{"text": @TEXT@}]}],"generationConfig":{"maxOutputTokens":100, "temperature":0.50}@MORE@}',
    "anthropic": '{"model":"claude-haiku-4-5","max_tokens":100,"messages":[{"role":"user", "content": @TEXT@}]@MORE@}',
    "bedrock-titan-embed": '{"inputText": @TEXT@, "dimensions":256@MORE@}',
}
MODELS = {
    "bedrock-nova": "amazon.nova-lite-v1:0",
    "bedrock-llama": "us.meta.llama3-1-8b-instruct-v1:0",
    "bedrock-openai": "openai.gpt-oss-120b-1:0",
    "bedrock-titan-embed": "amazon.titan-embed-text-v2:0",
}
URLS = {"openai-chat": "/v1/chat/completions", "openai-responses": "/v1/responses"}
PLACES = {"openai-chat": "body", "openai-responses": "body", "gemini": "request", "anthropic": "params"}
LLAMA = (
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)


def body(dialect, text, more=""):
    """The body of a request, as text."""
    told = json.dumps(LLAMA.format(text) if dialect == "bedrock-llama" else text)
    return BODIES[dialect].replace(MORE, more).replace(TEXT, told)


def line(dialect, raw_id, raw_body):
    """A record; its id is JSON, or None where it has none."""
    names = {"gemini": "key", "bedrock": "recordId"}
    name = names.get(dialect.split("-")[0], "custom_id")
    head = "" if raw_id is None else f'"{name}":{raw_id}, '
    if dialect in URLS:
        return f'{{{head}"method":"POST","url":"{URLS[dialect]}","body": {raw_body}}}'
    inner = PLACES.get(dialect, "modelInput")
    return f'{{{head}"{inner}": {raw_body}}}'


def begins(dialect, raw_id, raw_body):
    """How the result line of a record begins, to the byte."""
    if dialect.startswith("bedrock-"):
        return f'{{"recordId":{raw_id},"modelInput":{raw_body},'
    if dialect in URLS:
        return None
    return f'{{"{"key" if dialect == "gemini" else "custom_id"}":{raw_id},'


def answer(dialect, result):
    """The body of an answer; None for an error line."""
    if dialect.startswith("bedrock-"):
        return result.get("modelOutput")
    if dialect in URLS:
        response = result["response"]
        return response["body"] if response and response["status_code"] == 200 else None
    if dialect == "gemini":
        return result.get("response")
    return result["result"].get("message")


def read(dialect, told):
    """The text of an answer, and its tokens in and out, as a program of that dialect reads them."""
    if dialect in ("bedrock-converse", "bedrock-nova"):
        usage = told["usage"]
        text = told["output"]["message"]["content"][0]["text"]
        return text, usage["inputTokens"], usage["outputTokens"]
    if dialect in ("bedrock-anthropic", "anthropic"):
        usage = told["usage"]
        return told["content"][0]["text"], usage["input_tokens"], usage["output_tokens"]
    if dialect == "bedrock-llama":
        return told["generation"], told["prompt_token_count"], told["generation_token_count"]
    if dialect in ("bedrock-openai", "openai-chat"):
        usage = told["usage"]
        text = told["choices"][0]["message"]["content"]
        return text, usage["prompt_tokens"], usage["completion_tokens"]
    if dialect == "openai-responses":
        usage = told["usage"]
        return told["output"][-1]["content"][0]["text"], usage["input_tokens"], usage["output_tokens"]
    if dialect == "gemini":
        usage = told["usageMetadata"]
        text = told["candidates"][0]["content"]["parts"][0]["text"]
        return text, usage["promptTokenCount"], usage["candidatesTokenCount"]
    assert len(told["embedding"]) == 256, len(told["embedding"])
    return None, told["inputTextTokenCount"], 0
