from django.contrib import admin

from heroes.models import Hero, Team


@admin.register(Hero)
class HeroAdmin(admin.ModelAdmin):
    list_display = ["name", "secret_name", "age", "team"]
    list_select_related = ["team"]
    list_per_page = 25
    search_fields = ["name", "secret_name"]


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ["name", "headquarters"]
    list_per_page = 25
    search_fields = ["name", "headquarters"]
