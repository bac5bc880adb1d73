"""Request rows: from the bytes of a spreadsheet to Requests without a fault of their own. Pure: opens no file."""
