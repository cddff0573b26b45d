"""Hidden fields: what a form carries besides the fields of its record.

No field of a model has a dot in its name. Templates and scripts use these names too.
"""

# Of a new record: the token by which a form sent twice creates one record.
ONCE = "form.token"
# Of an existing record: the texts with which the form was opened.
OPENED = "form.opened"
# Of a form for many: the keys of its records, which may have a field called “id”.
KEYS = "form.id"
# In place of them: the query of a list, all of whose records are meant.
ALL = "form.all"
# Of a confirmation: the number of changes of its records when it was shown, or of all that match.
SEEN = "form.seen"
# Restores a record that was deleted meanwhile.
RESTORE = "form.restore"

# The name of a field that is to be seen as it will be shown; nothing is saved.
PREVIEW = "form.preview"

# Prefixes of a field's name: whose value to save; that a masked value is cleared; that a file was
# sent and is lost; and that the field is changed in a bulk edit, even to a blank.
KEEP = "form.keep."
CLEAR = "form.clear."
LOST = "form.lost."
SET = "form.set."
# The value of KEEP that saves what others have changed.
THEIRS = "theirs"
