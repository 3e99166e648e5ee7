import common.fields
import common.validators
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import people.models
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from common.initial_migration import InitialMigration


class Migration(InitialMigration):

    initial = True

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.CreateModel(
            name='LoginAttempts',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('guess', 'User name from an address or device'), ('guess_day', 'User name from an address or device, per day'), ('address', 'Client address'), ('address_day', 'Client address, per day'), ('network_day', 'Client network, per day'), ('confirm', 'Password confirmations of a user'), ('code', 'Two-factor codes of a user'), ('mail', 'Mail to an address'), ('used', 'Used two-factor code'), ('form', 'Forms posted without a session')], max_length=11)),
                ('digest', models.CharField(max_length=64)),
                ('used', models.PositiveSmallIntegerField()),
                ('ends_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'sign-in attempts',
                'verbose_name_plural': 'sign-in attempts',
                'constraints': [models.UniqueConstraint(fields=('kind', 'digest'), name='attempts_are_counted_once')],
            },
        ),
        migrations.CreateModel(
            name='OnCallVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transaction', models.BigIntegerField(unique=True)),
                ('total', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PageVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transaction', models.BigIntegerField(unique=True)),
                ('total', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('username', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:[._-][a-z0-9]+)*\\Z', 'A user name has lower-case letters and digits, with single dots, dashes or underscores between them.')], verbose_name='user name')),
                ('display_name', models.CharField(max_length=120, verbose_name='name')),
                ('display_key', people.models.NameKeyField(blank=True, editable=False, max_length=400, source='display_name')),
                ('handbook_name', models.CharField(blank=True, help_text='By which handbook import recognises the person, whatever their display name. Default: the name.', max_length=120, verbose_name='name in the handbook')),
                ('handbook_key', people.models.NameKeyField(blank=True, editable=False, max_length=400, source='handbook_name')),
                ('email', models.EmailField(blank=True, max_length=254, validators=[common.validators.validate_line], verbose_name='e-mail')),
                ('phone', models.CharField(blank=True, db_default='', default='', help_text='Visible to signed-in users. Include country code, e.g. +49.', max_length=32, validators=[django.core.validators.RegexValidator('\\A\\+?[0-9][0-9 ()./-]{3,28}[0-9]\\Z', 'Enter a phone number, such as +49 30 1234567.')], verbose_name='phone')),
                ('time_zone', models.CharField(default='UTC', max_length=64, validators=[people.models.valid_time_zone])),
                ('country', models.CharField(blank=True, max_length=2, validators=[people.models.valid_country])),
                ('subdivision', models.CharField(blank=True, max_length=8)),
                ('colour', models.PositiveSmallIntegerField(choices=[(1, 'Red'), (2, 'Blue'), (3, 'Green'), (4, 'Magenta'), (5, 'Amber'), (6, 'Teal'), (7, 'Pink'), (8, 'Lime'), (9, 'Violet'), (10, 'Orange'), (11, 'Sky'), (12, 'Jade')], default=1, help_text='Your avatar colour.')),
                ('shortcuts', models.BooleanField(db_default=True, default=True, help_text='Enable keyboard shortcuts (press ? for a list).', verbose_name='keyboard shortcuts')),
                ('is_active', models.BooleanField(default=True, help_text='Can sign in and be on call.', verbose_name='active')),
                ('is_staff', models.BooleanField(default=False, help_text='Can manage pipelines, rotations and people.', verbose_name='admin')),
                ('date_joined', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('reactivated_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'person',
                'verbose_name_plural': 'people',
                'ordering': ['display_name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('display_name', ''), _negated=True), name='user_has_a_name'), models.CheckConstraint(condition=models.Q(('display_name', django.db.models.functions.text.Trim('display_name'))), name='user_name_is_trimmed'), models.CheckConstraint(condition=models.Q(('colour__in', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])), name='user_colour_is_known'), models.UniqueConstraint(django.db.models.functions.text.Lower('email'), condition=models.Q(('email', ''), _negated=True), name='user_email_is_unique'), models.UniqueConstraint(fields=('display_key',), name='user_name_is_unique'), models.UniqueConstraint(fields=('handbook_key',), name='user_handbook_name_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('scope', models.CharField(choices=[('read', 'Read only'), ('write', 'Read and write'), ('admin', 'Admin')], default='write', max_length=8)),
                ('prefix', models.CharField(max_length=16)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'API token',
                'ordering': ['-created_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('expires_at', None), ('expires_at__gt', models.F('created_at')), _connector='OR'), name='token_expires_after_creation')],
            },
        ),
        migrations.CreateModel(
            name='HandbookAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('key', people.models.NameKeyField(blank=True, editable=False, max_length=400, source='name', unique=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handbook_aliases', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'other spelling in the handbook',
                'verbose_name_plural': 'other spellings in the handbook',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='PasswordLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('invitation', 'Invitation'), ('reset', 'Password reset')], max_length=10)),
                ('nonce', models.CharField(max_length=64)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='password_links', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
                'indexes': [models.Index(fields=['user', '-created_at'], name='password_link_of_user')],
                'constraints': [models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='password_link_expires_after_creation')],
            },
        ),
        migrations.CreateModel(
            name='UserEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('username', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:[._-][a-z0-9]+)*\\Z', 'A user name has lower-case letters and digits, with single dots, dashes or underscores between them.')], verbose_name='user name')),
                ('display_name', models.CharField(max_length=120, verbose_name='name')),
                ('handbook_name', models.CharField(blank=True, help_text='By which handbook import recognises the person, whatever their display name. Default: the name.', max_length=120, verbose_name='name in the handbook')),
                ('email', models.EmailField(blank=True, max_length=254, validators=[common.validators.validate_line], verbose_name='e-mail')),
                ('phone', models.CharField(blank=True, db_default='', default='', help_text='Visible to signed-in users. Include country code, e.g. +49.', max_length=32, validators=[django.core.validators.RegexValidator('\\A\\+?[0-9][0-9 ()./-]{3,28}[0-9]\\Z', 'Enter a phone number, such as +49 30 1234567.')], verbose_name='phone')),
                ('time_zone', models.CharField(default='UTC', max_length=64, validators=[people.models.valid_time_zone])),
                ('country', models.CharField(blank=True, max_length=2, validators=[people.models.valid_country])),
                ('subdivision', models.CharField(blank=True, max_length=8)),
                ('colour', models.PositiveSmallIntegerField(choices=[(1, 'Red'), (2, 'Blue'), (3, 'Green'), (4, 'Magenta'), (5, 'Amber'), (6, 'Teal'), (7, 'Pink'), (8, 'Lime'), (9, 'Violet'), (10, 'Orange'), (11, 'Sky'), (12, 'Jade')], default=1, help_text='Your avatar colour.')),
                ('shortcuts', models.BooleanField(db_default=True, default=True, help_text='Enable keyboard shortcuts (press ? for a list).', verbose_name='keyboard shortcuts')),
                ('is_active', models.BooleanField(default=True, help_text='Can sign in and be on call.', verbose_name='active')),
                ('is_staff', models.BooleanField(default=False, help_text='Can manage pipelines, rotations and people.', verbose_name='admin')),
                ('date_joined', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('reactivated_at', models.DateTimeField(editable=False, null=True)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ApiTokenEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=80)),
                ('scope', models.CharField(choices=[('read', 'Read only'), ('write', 'Read and write'), ('admin', 'Admin')], default='write', max_length=8)),
                ('prefix', models.CharField(max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='people.apitoken')),
                ('user', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandbookAliasEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=120)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='people.handbookalias')),
                ('user', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PasswordLinkEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('purpose', models.CharField(choices=[('invitation', 'Invitation'), ('reset', 'Password reset')], max_length=10)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('asked_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='people.passwordlink')),
                ('user', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SavedResponse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('fingerprint', models.CharField(help_text='SHA-256 digest of the method, the URL and the body.', max_length=64)),
                ('status', models.PositiveSmallIntegerField()),
                ('content_type', models.CharField(blank=True, max_length=100)),
                ('location', common.fields.EncryptedTextField(blank=True, help_text='Target of a redirect.')),
                ('body', common.fields.EncryptedTextField(blank=True)),
                ('created_at', models.DateTimeField(db_index=True)),
                ('token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.apitoken')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'token', 'key', 'fingerprint'), name='response_is_saved_once', nulls_distinct=False)],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='343bf1280e7613a34c82a374bf4852f45108bfd3', level='STATEMENT', operation='UPDATE OF "username", "is_active" OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_fa9cc', table='people_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='a9486801391ed885b06f25e05f4c3e44db15729a', operation='DELETE', pgid='pgtrigger_rows_change_page_version_cec04', table='people_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."colour" IS DISTINCT FROM (NEW."colour") OR OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."display_name" IS DISTINCT FROM (NEW."display_name") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."phone" IS DISTINCT FROM (NEW."phone") OR OLD."subdivision" IS DISTINCT FROM (NEW."subdivision"))', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='21b4798bfd9a247b3a10fe3ca681168bebb367a2', operation='UPDATE', pgid='pgtrigger_change_page_version_0769d', table='people_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='restart_access', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."is_active" AND NOT OLD."is_active")', func='NEW.reactivated_at = CLOCK_TIMESTAMP(); RETURN NEW;', hash='f5e1a756f48fabc8ed52584002268739a844bcdf', operation='UPDATE', pgid='pgtrigger_restart_access_0f038', table='people_user', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='keep_names_apart', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    PERFORM PG_ADVISORY_XACT_LOCK(HASHTEXT('people.names'));\n                    IF EXISTS (\n                        SELECT 1 FROM people_user WHERE id <> NEW.id AND (\n                            display_key IN (NEW.display_key, NEW.handbook_key)\n                            OR handbook_key IN (NEW.display_key, NEW.handbook_key)\n                        )\n                    ) OR EXISTS (\n                        SELECT 1 FROM people_handbookalias\n                        WHERE user_id <> NEW.id AND key IN (NEW.display_key, NEW.handbook_key)\n                    ) THEN\n                        RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = 'user_names_are_apart',\n                            MESSAGE = 'the name belongs to another person';\n                    END IF;\n                    RETURN NEW;\n                ", hash='bf43df66a7c3a03c939f2caef053ac80f18f1427', operation='INSERT OR UPDATE OF "display_key", "handbook_key"', pgid='pgtrigger_keep_names_apart_b2657', table='people_user', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_userevent" ("colour", "country", "date_joined", "display_name", "email", "handbook_name", "id", "is_active", "is_staff", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "reactivated_at", "shortcuts", "subdivision", "time_zone", "username") VALUES (NEW."colour", NEW."country", NEW."date_joined", NEW."display_name", NEW."email", NEW."handbook_name", NEW."id", NEW."is_active", NEW."is_staff", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."phone", NEW."reactivated_at", NEW."shortcuts", NEW."subdivision", NEW."time_zone", NEW."username"); RETURN NULL;', hash='1aec2d6af033d2827bf7d0b697b9d13639ca10ab', operation='INSERT', pgid='pgtrigger_insert_insert_7e9ab', table='people_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."colour" IS DISTINCT FROM (NEW."colour") OR OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."date_joined" IS DISTINCT FROM (NEW."date_joined") OR OLD."display_name" IS DISTINCT FROM (NEW."display_name") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."handbook_name" IS DISTINCT FROM (NEW."handbook_name") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."is_staff" IS DISTINCT FROM (NEW."is_staff") OR OLD."phone" IS DISTINCT FROM (NEW."phone") OR OLD."reactivated_at" IS DISTINCT FROM (NEW."reactivated_at") OR OLD."shortcuts" IS DISTINCT FROM (NEW."shortcuts") OR OLD."subdivision" IS DISTINCT FROM (NEW."subdivision") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone") OR OLD."username" IS DISTINCT FROM (NEW."username"))', func='INSERT INTO "people_userevent" ("colour", "country", "date_joined", "display_name", "email", "handbook_name", "id", "is_active", "is_staff", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "reactivated_at", "shortcuts", "subdivision", "time_zone", "username") VALUES (NEW."colour", NEW."country", NEW."date_joined", NEW."display_name", NEW."email", NEW."handbook_name", NEW."id", NEW."is_active", NEW."is_staff", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."phone", NEW."reactivated_at", NEW."shortcuts", NEW."subdivision", NEW."time_zone", NEW."username"); RETURN NULL;', hash='4db4b71c7b384e5eb7b42ed0e960c31383d2a205', operation='UPDATE', pgid='pgtrigger_update_update_86e64', table='people_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_userevent" ("colour", "country", "date_joined", "display_name", "email", "handbook_name", "id", "is_active", "is_staff", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "reactivated_at", "shortcuts", "subdivision", "time_zone", "username") VALUES (OLD."colour", OLD."country", OLD."date_joined", OLD."display_name", OLD."email", OLD."handbook_name", OLD."id", OLD."is_active", OLD."is_staff", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."phone", OLD."reactivated_at", OLD."shortcuts", OLD."subdivision", OLD."time_zone", OLD."username"); RETURN NULL;', hash='45b54fc7fa10031dbbb3fe70154bb94947f75672', operation='DELETE', pgid='pgtrigger_delete_delete_bec80', table='people_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='apitoken',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_apitokenevent" ("created_at", "expires_at", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "scope", "user_id") VALUES (NEW."created_at", NEW."expires_at", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."prefix", NEW."revoked_at", NEW."scope", NEW."user_id"); RETURN NULL;', hash='efe2b86a3b96388ba47edf8f7262906607694267', operation='INSERT', pgid='pgtrigger_insert_insert_89aa6', table='people_apitoken', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='apitoken',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."prefix" IS DISTINCT FROM (NEW."prefix") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at") OR OLD."scope" IS DISTINCT FROM (NEW."scope") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func='INSERT INTO "people_apitokenevent" ("created_at", "expires_at", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "scope", "user_id") VALUES (NEW."created_at", NEW."expires_at", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."prefix", NEW."revoked_at", NEW."scope", NEW."user_id"); RETURN NULL;', hash='a395e7f44fbe5e5829f0ee5ed9b280fd87ebe3b1', operation='UPDATE', pgid='pgtrigger_update_update_bd2cc', table='people_apitoken', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='apitoken',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_apitokenevent" ("created_at", "expires_at", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "scope", "user_id") VALUES (OLD."created_at", OLD."expires_at", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."prefix", OLD."revoked_at", OLD."scope", OLD."user_id"); RETURN NULL;', hash='d64a247b584d07fd732593822e7b10094a9dd6b3', operation='DELETE', pgid='pgtrigger_delete_delete_9a9d9', table='people_apitoken', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookalias',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_handbookaliasevent" ("id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") VALUES (NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."user_id"); RETURN NULL;', hash='b7de972a5bf53b8d42d81c2f2dd183667d58b1d3', operation='INSERT', pgid='pgtrigger_insert_insert_2d153', table='people_handbookalias', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookalias',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func='INSERT INTO "people_handbookaliasevent" ("id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") VALUES (NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."user_id"); RETURN NULL;', hash='22d0c59dd369ba2bd1b4b455f2f47a911899e390', operation='UPDATE', pgid='pgtrigger_update_update_f318e', table='people_handbookalias', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookalias',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_handbookaliasevent" ("id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") VALUES (OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."user_id"); RETURN NULL;', hash='5e3a1cc5f2df5595f72fc034c192ae1d86ed8cf9', operation='DELETE', pgid='pgtrigger_delete_delete_cc2de', table='people_handbookalias', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='passwordlink',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_passwordlinkevent" ("asked_by_id", "created_at", "expires_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose", "used_at", "user_id") VALUES (NEW."asked_by_id", NEW."created_at", NEW."expires_at", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."purpose", NEW."used_at", NEW."user_id"); RETURN NULL;', hash='f215c6f3017354aae2b5e42c04f8d09b7f018496', operation='INSERT', pgid='pgtrigger_insert_insert_7df69', table='people_passwordlink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='passwordlink',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."purpose" IS DISTINCT FROM (NEW."purpose") OR OLD."used_at" IS DISTINCT FROM (NEW."used_at") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func='INSERT INTO "people_passwordlinkevent" ("asked_by_id", "created_at", "expires_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose", "used_at", "user_id") VALUES (NEW."asked_by_id", NEW."created_at", NEW."expires_at", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."purpose", NEW."used_at", NEW."user_id"); RETURN NULL;', hash='ada9bc88ad1b85ab5b75478fcc3649dceefe097d', operation='UPDATE', pgid='pgtrigger_update_update_85aba', table='people_passwordlink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='passwordlink',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "people_passwordlinkevent" ("asked_by_id", "created_at", "expires_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose", "used_at", "user_id") VALUES (OLD."asked_by_id", OLD."created_at", OLD."expires_at", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."purpose", OLD."used_at", OLD."user_id"); RETURN NULL;', hash='2e14d51f1f50b47b763bf4c58de21732337a9f3c', operation='DELETE', pgid='pgtrigger_delete_delete_4d489', table='people_passwordlink', when='AFTER')),
        ),
    ]
