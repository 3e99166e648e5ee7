"""Django's admin for hand-offs."""

from django.contrib import admin

from handoffs.models import HandoffPolicy, HandoffTopic


class HandoffTopicInline(admin.TabularInline[HandoffTopic, HandoffPolicy]):
    """The meeting's topics, in order."""

    model = HandoffTopic
    extra = 0


@admin.register(HandoffPolicy)
class HandoffPolicyAdmin(admin.ModelAdmin[HandoffPolicy]):
    """The meeting's length and its topics."""

    list_display = ("rotation", "name", "minutes_min", "minutes_max")
    inlines = (HandoffTopicInline,)
