"""Paths of sign-in and Mine."""

from django.urls import path

from people import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("me/", views.mine, name="mine"),
    path("me/profile/", views.change_profile, name="change_profile"),
    path("me/password/", views.change_password, name="change_password"),
    path("me/tokens/", views.create_token, name="create_token"),
    path("me/tokens/<int:pk>/revoke/", views.revoke_token, name="revoke_token"),
]
