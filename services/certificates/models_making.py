"""The tables of making a certificate: files, documents, questions, templates. The same registry as the others."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.certificates.models import Id, Moment, Table


class UploadRow(Table, table=True):
    """A file somebody sent for a certificate; its object has the same id. One that nothing used is swept."""

    __tablename__ = "upload"
    __table_args__ = (Index("upload_unused", "at", postgresql_where=text("used_at IS NULL")),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    certificate_id: str = Field(sa_column=Column(Id, nullable=False))
    organisation_id: str = Field(sa_column=Column(Id, nullable=False))
    person_id: str = Field(sa_column=Column(String(36), nullable=False))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    media: str = Field(sa_column=Column(String(40), nullable=False))
    size: int = Field(sa_column=Column(Integer, nullable=False))
    sha256: str = Field(sa_column=Column(String(64), nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class DocumentRow(Table, table=True):
    """One version of a document. Versions are never changed; which is the newest also stands on the certificate."""

    __tablename__ = "document"
    __table_args__ = (Index("document_of", "certificate_id"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True))
    certificate_id: str = Field(sa_column=Column(Id, nullable=False))
    upload_id: str = Field(sa_column=Column(Id, nullable=False))
    type: str = Field(sa_column=Column(String(20), nullable=False))
    said: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    added_by: str = Field(sa_column=Column(Id, nullable=False))
    added_by_name: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    revision: int
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class QuestionRow(Table, table=True):
    """A question about a certificate, or about one of its boxes, from one of its parties to another."""

    __tablename__ = "question"
    __table_args__ = (Index("question_once", "certificate_id", "number", unique=True),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    certificate_id: str = Field(sa_column=Column(Id, nullable=False))
    number: int
    kind: str = Field(sa_column=Column(String(12), nullable=False))
    field: str | None = Field(default=None, sa_column=Column(String(60)))
    asked_by: str = Field(sa_column=Column(Id, nullable=False))
    asked_of: str = Field(sa_column=Column(Id, nullable=False))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    settled_at: datetime | None = Field(default=None, sa_column=Column(Moment))


class MessageRow(Table, table=True):
    """One message of a question: the first asks, the others answer."""

    __tablename__ = "question_message"

    question_id: str = Field(sa_column=Column(Id, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    person: str = Field(sa_column=Column(Text, nullable=False))
    organisation_id: str = Field(sa_column=Column(Id, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    upload_id: str | None = Field(default=None, sa_column=Column(Id))


class TemplateRow(Table, table=True):
    """Boxes an organisation keeps under a name, to begin certificates from."""

    __tablename__ = "certificate_template"
    __table_args__ = (Index("template_of", "organisation_id", "name"),)

    id: str = Field(sa_column=Column(Id, primary_key=True))
    organisation_id: str = Field(sa_column=Column(Id, nullable=False))
    name: str = Field(sa_column=Column(String(100), nullable=False))
    form_model: str = Field(sa_column=Column(String(10), nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    person: str = Field(sa_column=Column(Text, nullable=False))
