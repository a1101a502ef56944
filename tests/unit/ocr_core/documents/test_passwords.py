"""Passwords reach the child only for a PDF that needs one, and reach nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pikepdf
import pytest

from inkstream import DocumentError, EnvironmentFault, FailureKind, PageWorker, PipelineOptions, read_document
from inkstream.ocr_core.documents.passwords import FILE_VARIABLE, VARIABLE, pdf_passwords
from inkstream.ocr_core.documents.pdf_repair import repair
from inkstream.ocr_core.pipeline.environment import check_environment, require_environment
from tests.generators import born_digital_pdf

TEXT = "Only for those who know"
Revision = Literal[2, 3, 4, 6]
SECRETS = ("tr0mbone", "Schlüssel zum Glück")


def locked(path: Path, password: str, revision: Revision = 6) -> Path:
    with pikepdf.open(born_digital_pdf(path.with_suffix(".open"), [TEXT, TEXT])) as pdf:
        strong = revision >= 4
        encryption = pikepdf.Encryption(owner="owner", user=password, R=revision, aes=strong, metadata=strong)
        pdf.save(path, encryption=encryption)
    return path


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "wrong\n" + "\n".join(SECRETS))


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("revision", [2, 3, 4, 6])
@pytest.mark.parametrize("sandboxed", [True, False])
def test_every_encryption_revision_opens_with_a_known_password(
    tmp_path: Path, revision: Revision, sandboxed: bool
) -> None:
    secret = SECRETS[1] if revision == 6 else SECRETS[0]
    pages = list(read_document(locked(tmp_path / "a.pdf", secret, revision), sandboxed=sandboxed))
    assert [page.text for page in pages] == [TEXT, TEXT]


def test_the_owner_password_also_opens_a_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "owner")
    assert [page.text for page in read_document(locked(tmp_path / "a.pdf", "x"))] == [TEXT, TEXT]


def test_a_missing_password_is_a_failure_that_names_the_variable(tmp_path: Path) -> None:
    (page,) = read_document(locked(tmp_path / "a.pdf", "unknown"))
    assert page.failure is not None
    assert page.failure.kind is FailureKind.ENCRYPTED
    assert "INKSTREAM_PDF_PASSWORDS" in page.failure.message
    assert "none is set there" in page.failure.message


@pytest.mark.usefixtures("keys")
def test_wrong_passwords_are_counted_but_not_shown(tmp_path: Path) -> None:
    (page,) = read_document(locked(tmp_path / "a.pdf", "unknown"))
    assert page.failure is not None
    assert "none of the 3 passwords" in page.failure.message
    assert not any(secret in page.failure.message for secret in ("wrong", *SECRETS))


def test_a_damaged_and_encrypted_pdf_is_repaired_with_its_password(tmp_path: Path) -> None:
    path = locked(tmp_path / "a.pdf", SECRETS[0])
    path.write_bytes(b"junk" * 1000 + path.read_bytes())
    with repair(path, ["wrong", *SECRETS]).copy as copy, pikepdf.open(copy) as pdf:
        assert (len(pdf.pages), pdf.is_encrypted) == (2, False)
    with pytest.raises(DocumentError, match="none of the 1") as caught:
        repair(path, ["wrong"])
    assert caught.value.kind is FailureKind.ENCRYPTED


def test_a_child_that_knows_the_passwords_opens_no_other_file(tmp_path: Path) -> None:
    plain = born_digital_pdf(tmp_path / "plain.pdf", [TEXT])
    secret = locked(tmp_path / "secret.pdf", SECRETS[0])
    with PageWorker(passwords=SECRETS) as worker:
        assert worker.probe(plain).pages == 1
        first = worker.pid
        assert worker.probe(secret).pages == 2
        assert worker.pid == first, "an encrypted file needs no new child"
        assert worker.page(secret, 1, 2).text == TEXT
        assert worker.pid == first
        assert _knows(first, SECRETS[0])
        assert worker.page(plain, 0, 1).text == TEXT
        assert worker.pid != first
        assert not _knows(worker.pid, SECRETS[0])


def _knows(pid: int | None, secret: str) -> bool:
    """Return whether a process has a secret in its memory, command line or environment."""
    regions = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for bounds, rights, *_ in regions:
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            if not rights.startswith("rw") or end - start > 256 << 20:
                continue
            memory.seek(start)
            try:
                content = memory.read(end - start)
            except OSError:
                continue
            if secret.encode() in content:
                return True
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    return secret.encode() in arguments


def test_a_restarted_child_gets_the_passwords_again(tmp_path: Path) -> None:
    secret = locked(tmp_path / "a.pdf", SECRETS[1])
    with PageWorker(passwords=SECRETS) as worker:
        assert worker.page(secret, 0, 2).text == TEXT
        worker.close()
        assert worker.page(secret, 1, 2).text == TEXT


def test_passwords_come_from_the_variable_then_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert pdf_passwords() == ()
    (tmp_path / "keys").write_bytes("\ufeffone\r\n\r\n two \nümlaut".encode())
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "keys"))
    assert pdf_passwords() == ("one", " two ", "ümlaut")
    monkeypatch.setenv(VARIABLE, "first\none")
    assert pdf_passwords() == ("first", "one", " two ", "ümlaut")
    (check,) = [each for each in check_environment(PipelineOptions()) if each.name == "pdf passwords"]
    assert check.ok
    assert check.detail == "4 in the environment"


@pytest.mark.parametrize("content", [None, b"caf\xe9"])
def test_an_unreadable_password_file_is_an_environment_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "keys").write_bytes(content)
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "keys"))
    with pytest.raises(EnvironmentFault) as caught:
        require_environment(PipelineOptions())
    assert caught.value.remedy
    assert "caf" not in str(caught.value)


def test_an_unknown_encryption_scheme_is_reported(tmp_path: Path) -> None:
    path = locked(tmp_path / "a.pdf", "x")
    path.write_bytes(path.read_bytes().replace(b"/Filter /Standard", b"/Filter /Unheardo"))
    with PageWorker(passwords=["x"]) as worker, pytest.raises(DocumentError, match="scheme") as caught:
        worker.probe(path)
    assert caught.value.kind is FailureKind.ENCRYPTED
