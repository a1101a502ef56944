"""The usual AWS variables name the store and its certificates, for documents and for tables."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.faults.documents import tiny_pdf
from tests.faults.s3_proxy import s3_proxy
from tests.integration.command import inkstream, run_json, settings

CHEAP = settings(pipeline__text_layer__mode="only", pipeline__render__resolution=72, execution__workers=1)


def authority_and_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate authority, and a certificate and key for this machine; return their files."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("an authority", "localhost")]

    def signed(which: int) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[which])
            .issuer_name(names[0])
            .public_key(keys[which].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=which == 0, path_length=None), critical=True)
        )
        if which:
            here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(
                x509.SubjectAlternativeName([here, x509.DNSName("localhost")]), critical=False
            )
        return builder.sign(keys[0], hashes.SHA256())

    pem = serialization.Encoding.PEM
    secret = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    authority, server = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(signed(0).public_bytes(pem))
    server.write_bytes(signed(1).public_bytes(pem) + secret)
    return authority, server


def test_aws_ca_bundle_names_the_certificate_authority(endpoint: str, s3: Any, bucket: str, tmp_path: Path) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.pdf", Body=tiny_pdf("a page behind TLS"))
    authority, server = authority_and_certificate(tmp_path)
    places = ["--source", f"s3://{bucket}/in", "--sink", f"s3://{bucket}/out"]
    with s3_proxy(tmp_path, endpoint, "--certificate", str(server)) as proxy:
        there = {**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint.replace("http://127.0.0.1", "https://localhost")}
        refused = inkstream("run", *places, *CHEAP, "--prefect", "off", code=5, environment=there).stderr
        assert "certificate" in refused
        missing = {**there, "AWS_CA_BUNDLE": str(tmp_path / "none.pem")}
        refused = inkstream("run", *places, *CHEAP, "--prefect", "off", code=4, environment=missing).stderr
        assert "AWS_CA_BUNDLE" in refused
        (*_, summary) = run_json(*places, *CHEAP, environment={**there, "AWS_CA_BUNDLE": str(authority)})
        assert summary["pages"] == 1
        assert all(request.path.startswith(f"/{bucket}") for request in proxy.requests()), "not in path style"
    (row,) = PagesTable(f"s3://{bucket}/out").rows().to_pylist()
    assert row["text"] == "a page behind TLS"


def profile_environment(folder: Path, config: str, **more: str) -> dict[str, str]:
    """Return an environment whose only AWS settings are the profile `worker` and the keys of the profile `base`."""
    (folder / "config").write_text(f"[profile worker]\nregion = eu-west-1\n{config}")
    (folder / "credentials").write_text("[base]\naws_access_key_id = abc\naws_secret_access_key = def\n")
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_PROFILE": "worker",
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        **more,
    }


def test_a_profile_names_endpoint_region_and_a_role_whose_keys_are_renewed(
    endpoint: str, s3: Any, bucket: str, tmp_path: Path
) -> None:
    for name in "ab":
        s3.put_object(Bucket=bucket, Key=f"in/{name}.pdf", Body=tiny_pdf("a page of a profile"))
    role = "role_arn = arn:aws:iam::123456789012:role/reader\nsource_profile = base\nduration_seconds = 900\n"
    places = ["--source", f"s3://{bucket}/in", "--sink", f"s3://{bucket}/out"]
    with s3_proxy(tmp_path, endpoint) as proxy:
        environment = profile_environment(tmp_path, f"{role}endpoint_url = {proxy.endpoint}\n")
        one_by_one = settings(trigger__max_files_per_trigger=1)
        assert run_json(*places, *CHEAP, *one_by_one, environment=environment)[-1]["pages"] == 2
        requests = proxy.requests()
    to_sts = [request for request in requests if request.path == "/"]
    assert {request.key for request in to_sts} == {"abc"}
    tables = {request.key for request in requests if "/_delta_log/" in request.path}
    documents = {request.key for request in requests if request.path.startswith(f"/{bucket}/in/")}
    assert "abc" not in tables | documents, "requests to S3 are signed with the keys of the role"
    assert len(tables) > 1, "keys are renewed: the AWS library does so a quarter of an hour before they expire"


def test_a_table_is_opened_with_current_keys(
    endpoint: str, s3: Any, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)).isoformat()
    keys = {"Version": 1, "AccessKeyId": "key$(wc -l < calls)", "SecretAccessKey": "s", "Expiration": soon}
    answer = json.dumps(keys).replace('"', '\\"')
    (tmp_path / "keys.sh").write_text(f'cd {tmp_path}; echo >> calls; echo "{answer}"')
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name, value in profile_environment(tmp_path, f"credential_process = sh {tmp_path}/keys.sh\n").items():
        monkeypatch.setenv(name, value)
    with s3_proxy(tmp_path, endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        table = PagesTable(f"s3://{bucket}/out")
        table.create()
        before = proxy.requests()
        table.open()
        after = proxy.requests()[len(before) :]
    assert {request.key for request in before}.isdisjoint(request.key for request in after), "the keys were not renewed"


def test_virtual_addressing_puts_the_bucket_into_the_host_name(
    endpoint: str, s3: Any, bucket: str, tmp_path: Path
) -> None:
    """The proxy answers for host names that do not exist in DNS."""
    s3.put_object(Bucket=bucket, Key="in/a.pdf", Body=tiny_pdf("a page of a host"))
    places = ["--source", f"s3://{bucket}/in", "--sink", f"s3://{bucket}/out"]
    with s3_proxy(tmp_path, endpoint) as proxy:
        config = "endpoint_url = http://s3.amazonaws.com\ns3 =\n  addressing_style = virtual\n"
        there = {"AWS_ACCESS_KEY_ID": "abc", "AWS_SECRET_ACCESS_KEY": "def"}
        by_proxy = {"HTTP_PROXY": proxy.endpoint, "http_proxy": proxy.endpoint, "NO_PROXY": "", "no_proxy": ""}
        environment = profile_environment(tmp_path, config, **there, **by_proxy)
        assert run_json(*places, *CHEAP, environment=environment)[-1]["pages"] == 1
        requests = proxy.requests()
    assert {request.host for request in requests} == {f"{bucket}.s3.amazonaws.com"}
    assert {request.path.split("/")[1].partition("?")[0] for request in requests} == {"", "in", "out"}
    (row,) = PagesTable(f"s3://{bucket}/out").rows().to_pylist()
    assert row["text"] == "a page of a host"
