"""The same two tables; they are there already, so Django does not manage them."""

from django.db import models


class Team(models.Model):
    name = models.CharField(max_length=200, unique=True)
    headquarters = models.CharField(max_length=200, blank=True, null=True)

    class Meta:
        managed = False
        db_table = "team"

    def __str__(self):
        return self.name


class Hero(models.Model):
    name = models.CharField(max_length=200)
    secret_name = models.CharField(max_length=200)
    age = models.PositiveIntegerField(blank=True, null=True)
    team = models.ForeignKey(Team, models.SET_NULL, blank=True, null=True)

    class Meta:
        managed = False
        db_table = "hero"
        verbose_name_plural = "heroes"

    def __str__(self):
        return self.name
