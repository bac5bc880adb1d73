"""signsvc: fills, seals and registers the certificates of China's community offices.

The story in one line: a row of a spreadsheet → may it be issued? → filled .docx → PDF → sealed PDF →
entry in a tamper-evident log → anyone checks number and validity date.
"""

__version__ = "0.1.0"
