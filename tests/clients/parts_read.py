"""Objects that were uploaded in parts, read part by part through boto3.

Usage: parts_read.py GATEWAY PROVIDER SCENARIO
"""

import base64
import hashlib
import sys
import zlib

from gateway_clients import attempt, make_client, show

url, provider, scenario = sys.argv[1:4]
bucket = "my-bucket"
MIB = 1 << 20
s3 = make_client("s3", url, provider, retries={"total_max_attempts": 1}, read_timeout=120)


def b64(digest):
    return base64.b64encode(digest).decode()


ALGORITHMS = {
    "SHA256": ("COMPOSITE", lambda body: b64(hashlib.sha256(body).digest())),
    "CRC32": ("FULL_OBJECT", lambda body: b64(zlib.crc32(body).to_bytes(4, "big"))),
}


def upload(key, bodies, algorithm, **more):
    """Uploads bodies by their parts' numbers; what Complete answered."""
    kind, _ = ALGORITHMS[algorithm]
    target = {"Bucket": bucket, "Key": key}
    made = s3.create_multipart_upload(
        **target, ChecksumAlgorithm=algorithm, ChecksumType=kind, **more
    )
    target["UploadId"] = made["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                **target, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm
            )["ETag"],
        }
        for number, body in bodies.items()
    ]
    return s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})


def told(answer, algorithm):
    """What an answer tells of a part."""
    return [
        answer["ResponseMetadata"]["HTTPStatusCode"],
        answer.get("PartsCount"),
        answer["ContentLength"],
        answer.get("ContentRange"),
        answer.get("ChecksumType"),
        answer.get(f"Checksum{algorithm}"),
    ]


def numbered(algorithm):
    """Parts of two sizes, with numbers left out."""
    kind, digest = ALGORITHMS[algorithm]
    bodies = {2: b"a" * (5 * MIB), 3: b"b" * (5 * MIB), 9: b"c" * 1234}
    size = sum(map(len, bodies.values()))
    done = upload(algorithm, bodies, algorithm)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/{algorithm}")
    right = {}
    for key in (algorithm, "copy"):
        at = 0
        for number, body in bodies.items():
            here = {"Bucket": bucket, "Key": key, "PartNumber": number, "ChecksumMode": "ENABLED"}
            span = f"bytes {at}-{at + len(body) - 1}/{size}"
            expected = [206, 3, len(body), span, kind, digest(body)]
            got = s3.get_object(**here)
            head = s3.head_object(**here)
            right[f"{key} {number}"] = [
                told(got, algorithm) == expected,
                told(head, algorithm) == expected,
                got["Body"].read() == body,
                got["ETag"] == done["ETag"],
            ]
            at += len(body)
    whole = s3.head_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
    plain = make_client("s3", url, provider, response_checksum_validation="when_required")
    silent = plain.head_object(Bucket=bucket, Key=algorithm, PartNumber=2)
    missing = attempt(s3.get_object, Bucket=bucket, Key=algorithm, PartNumber=4)
    return {
        "right": right,
        "whole": [whole["ContentLength"], whole.get("PartsCount"), whole["ChecksumType"]],
        "same": whole[f"Checksum{algorithm}"] == done[f"Checksum{algorithm}"],
        "silent": f"Checksum{algorithm}" in silent,
        "missing": [missing["status"], missing["code"]],
    }


def attributes():
    """ObjectParts of GetObjectAttributes, whole and in pages."""
    _, digest = ALGORITHMS["SHA256"]
    bodies = {1: b"a" * (5 * MIB), 2: b"b" * (5 * MIB), 4: b"c" * 7}
    upload("parts", bodies, "SHA256")
    s3.put_object(Bucket=bucket, Key="whole", Body=b"{}")

    def ask(key, **more):
        wanted = ["ObjectParts", "ObjectSize"]
        return s3.get_object_attributes(
            Bucket=bucket, Key=key, ObjectAttributes=wanted, **more
        ).get("ObjectParts")

    def page(found):
        return [
            found["TotalPartsCount"],
            found["PartNumberMarker"],
            found["NextPartNumberMarker"],
            found["MaxParts"],
            found["IsTruncated"],
            [[part["PartNumber"], part["Size"]] for part in found.get("Parts", [])],
        ]

    everything = ask("parts")
    return {
        "all": page(everything),
        "checksums": [part["ChecksumSHA256"] for part in everything["Parts"]]
        == [digest(body) for body in bodies.values()],
        "first": page(ask("parts", MaxParts=2)),
        "rest": page(ask("parts", MaxParts=2, PartNumberMarker=2)),
        "beyond": page(ask("parts", PartNumberMarker=4)),
        "whole": ask("whole"),
    }


def single():
    """One part alone, and one without bytes."""
    upload("one", {1: b"{}\n"}, "CRC32")
    upload("none", {1: b""}, "CRC32")
    return {
        key: told(s3.head_object(Bucket=bucket, Key=key, PartNumber=1), "CRC32")[:4]
        for key in ("one", "none")
    }


SCENARIOS = {
    "SHA256": lambda: numbered("SHA256"),
    "CRC32": lambda: numbered("CRC32"),
    "attributes": attributes,
    "single": single,
}
show(SCENARIOS[scenario]())
