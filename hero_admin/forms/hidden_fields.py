"""Carried: what a form sends along beside the fields of its record, under names with a dot.

No field of a model can be called so. Templates and scripts spell these names too.
"""

# Of a new record: what makes sending the same form twice one creation.
ONCE = "form.token"
# Of an existing one: the texts that the form was opened with.
OPENED = "form.opened"
# Of a form for many: the keys of its records, which may have a field called “id”.
KEYS = "form.id"
# Of a question: how often its records had been written to when it was asked.
SEEN = "form.seen"
# That a record which was deleted meanwhile is to come back.
RESTORE = "form.restore"

# Each before the name of a field: whose value of it to keep, that a masked one is to be empty and
# not left alone, that a file was sent for it and not kept, and that it is changed for many,
# whatever stands in it.
KEEP = "form.keep."
CLEAR = "form.clear."
LOST = "form.lost."
SET = "form.set."
# The value of KEEP that is not what was typed.
THEIRS = "theirs"
