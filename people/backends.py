"""The authentication backend: Django's, with a cheaper look-up of the signed-in user."""

from django.contrib.auth.backends import ModelBackend

from people.models import User
from people.queries import find_user


class AccountBackend(ModelBackend):
    """Checks user names and passwords as Django does."""

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session if they may still sign in. Every page reads them, by a statement that is compiled once."""
        user = find_user(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
