import django.db.models.functions.datetime
from django.db import migrations, models

from common.initial_migration import InitialMigration


class Migration(InitialMigration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('part', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('seen_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['part'],
            },
        ),
        migrations.CreateModel(
            name='Sweep',
            fields=[
                ('task', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('worker', models.CharField(help_text='Worker of the last run.', max_length=200)),
                ('ended_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='End of the last run, successful or not.')),
                ('seconds', models.FloatField(help_text='Duration of the last run.')),
                ('error', models.CharField(blank=True, help_text='Error of the last run.', max_length=300)),
                ('runs', models.PositiveBigIntegerField(default=0)),
                ('failures', models.PositiveBigIntegerField(default=0)),
                ('total_seconds', models.FloatField(default=0)),
            ],
            options={
                'ordering': ['task'],
            },
        ),
    ]
