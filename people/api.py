"""API views for users."""

from rest_framework import serializers

from people.models import User


class PersonSerializer(serializers.ModelSerializer[User]):
    """An engineer, with the fields that every user can see."""

    active = serializers.BooleanField(source="is_active")
    admin = serializers.BooleanField(source="is_staff")
    name = serializers.CharField(source="display_name")

    class Meta:
        model = User
        fields = ("username", "name", "phone", "time_zone", "country", "subdivision", "colour", "active", "admin")
