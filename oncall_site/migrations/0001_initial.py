import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('part', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('beaten_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['part'],
            },
        ),
        migrations.CreateModel(
            name='Sweep',
            fields=[
                ('task', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('worker', models.CharField(help_text='Who ran it last.', max_length=200)),
                ('ended_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When it last ended, well or not.')),
                ('seconds', models.FloatField(help_text='How long it took then.')),
                ('problem', models.CharField(blank=True, help_text='What it failed with then.', max_length=300)),
                ('runs', models.PositiveBigIntegerField(default=0)),
                ('failures', models.PositiveBigIntegerField(default=0)),
                ('seconds_in_all', models.FloatField(default=0)),
            ],
            options={
                'ordering': ['task'],
            },
        ),
    ]
