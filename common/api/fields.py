"""Serializer fields for text."""

from rest_framework import serializers

from common.validators import validate_line, validate_text


class LineField(serializers.CharField):
    """One line of text (`common.text`)."""

    default_validators = [validate_line]


class MultilineField(serializers.CharField):
    """Text of several lines (`common.text`)."""

    default_validators = [validate_text]
