"""URLs of channels."""

from django.urls import path

from team_channels.views import channels

urlpatterns = [
    path("pipelines/<slug:slug>/channels/", channels.pipeline_channels, name="pipeline_channels"),
    path("rotations/<slug:slug>/channels/", channels.rotation_channels, name="rotation_channels"),
    path("channels/<int:pk>/", channels.team_channel, name="team_channel"),
    path("channels/<int:pk>/test/", channels.test, name="test_channel"),
    path("channels/<int:pk>/turn-off/", channels.turn_off, name="turn_off_channel"),
    path("channels/<int:pk>/turn-on/", channels.turn_on, name="turn_on_channel"),
    path("channels/<int:pk>/new-secret/", channels.new_secret, name="new_channel_secret"),
    path("channels/<int:pk>/delete/", channels.delete, name="delete_channel"),
    path("channels/<int:pk>/deliveries/<int:delivery>/redeliver/", channels.resend, name="redeliver"),
]
