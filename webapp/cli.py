"""The commands. (Being written right now by its new owner, the COMMANDS person: leave it to them.)"""
