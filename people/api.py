"""The API's calls about people."""

from rest_framework import mixins, serializers, viewsets

from people import queries
from people.models import User


class PersonSerializer(serializers.ModelSerializer[User]):
    """An engineer as everyone may see them."""

    active = serializers.BooleanField(source="is_active")
    admin = serializers.BooleanField(source="is_staff")
    name = serializers.CharField(source="display_name")

    class Meta:
        model = User
        fields = ("username", "name", "time_zone", "country", "subdivision", "colour", "active", "admin")


class PersonViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[User]):
    """Engineers, by user name."""

    serializer_class = PersonSerializer
    queryset = queries.all_people()
    lookup_field = "username"
    lookup_value_regex = "[a-z0-9._-]+"
