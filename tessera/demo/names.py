"""Vocabulary for invented people: names, towns, streets. Domains are reserved ones (RFC 2606)."""

from __future__ import annotations

import unicodedata

# fmt: off
FIRST_NAMES = (
    "Anna", "Lena", "Marie", "Sophie", "Laura", "Julia", "Sarah", "Lea", "Hannah", "Mia", "Emma",
    "Clara", "Ida", "Greta", "Frieda", "Zoë", "Chloé", "Élise", "Camille", "Manon", "Inès",
    "Giulia", "Chiara", "Francesca", "Lucía", "Carmen", "Nuria", "Sanne", "Fenna", "Lotte",
    "Katarzyna", "Zofia", "Agnieszka", "Ayşe", "Elif", "Leyla", "Olga", "Irina", "Petra", "Birgit",
    "Sabine", "Monika", "Ute", "Renate", "Heike", "Astrid", "Ingrid", "Saskia", "Nina", "Vera",
    "Jonas", "Lukas", "Felix", "Paul", "Maximilian", "Leon", "Finn", "Elias", "Noah", "Ben",
    "Anton", "Emil", "Oskar", "Jürgen", "Günter", "Björn", "Søren", "François", "Mathéo", "Hugo",
    "Louis", "Marco", "Luca", "Matteo", "Alejandro", "Pablo", "Daan", "Sem", "Bram", "Łukasz",
    "Piotr", "Tomasz", "Mehmet", "Emre", "Can", "Dmitri", "Ivan", "Stefan", "Andreas", "Thomas",
    "Michael", "Christian", "Uwe", "Klaus", "Bernd", "Rainer", "Tim", "Jan", "Nils", "Kai",
)
LAST_NAMES = (
    "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz",
    "Hoffmann", "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann",
    "Schwarz", "Zimmermann", "Braun", "Krüger", "Hofmann", "Hartmann", "Lange", "Werner",
    "Krause", "Lehmann", "Köhler", "Huber", "Mayr", "Gruber", "Steiner", "Egger", "Moser",
    "Pichler", "Brunner", "Keller", "Frei", "Zürcher", "Baumann", "Dubois", "Lefèvre", "Moreau",
    "Laurent", "Girard", "Rousseau", "Mercier", "Bonnet", "Rossi", "Bianchi", "Esposito",
    "Ricci", "Conti", "García", "Fernández", "Núñez", "Ortega", "de Vries", "van Dijk", "Bakker",
    "Visser", "Smit", "Janssen", "Nowak", "Kowalska", "Wiśniewski", "Wójcik", "Kaya", "Demir",
    "Yılmaz", "Öztürk", "Petrov", "Sokolova", "Larsen", "Hansen", "Lindqvist", "Dahl", "Berg",
    "Vogel", "Winter", "Sommer", "Frank", "Lorenz", "Jung", "Roth", "Beck", "Engel", "Horn",
    "Busch", "Kraft", "Sauer", "Arnold", "Ott", "Graf", "Haas", "Ziegler", "Pohl", "Seidel",
    "Brandt",
)
STREETS = (
    "Hauptstraße", "Lindenweg", "Gartenstraße", "Bahnhofstraße", "Schulgasse", "Am Markt",
    "Ringstraße", "Birkenallee", "Rosenweg", "Mühlgasse", "Kirchplatz", "Seestraße",
    "Bergstraße", "Feldweg", "Uferpromenade", "Schlossallee", "Kastanienallee", "Marktgasse",
)
# city, postal code, country, weight
PLACES = (
    ("Berlin", "10115", "DE", 14), ("Hamburg", "20095", "DE", 9), ("München", "80331", "DE", 9),
    ("Köln", "50667", "DE", 7), ("Leipzig", "04103", "DE", 5), ("Stuttgart", "70173", "DE", 4),
    ("Düsseldorf", "40213", "DE", 4), ("Dresden", "01067", "DE", 3), ("Kiel", "24103", "DE", 2),
    ("Freiburg", "79098", "DE", 2), ("Wien", "1010", "AT", 8), ("Graz", "8010", "AT", 3),
    ("Salzburg", "5020", "AT", 2), ("Innsbruck", "6020", "AT", 2), ("Zürich", "8001", "CH", 4),
    ("Bern", "3011", "CH", 2), ("Basel", "4051", "CH", 2), ("Paris", "75011", "FR", 4),
    ("Lyon", "69002", "FR", 2), ("Strasbourg", "67000", "FR", 2), ("Amsterdam", "1012", "NL", 3),
    ("Utrecht", "3511", "NL", 2), ("Milano", "20121", "IT", 3), ("Bolzano", "39100", "IT", 1),
    ("Barcelona", "08002", "ES", 1),
)
CALLING_CODES = {"DE": "+49", "AT": "+43", "CH": "+41", "FR": "+33", "NL": "+31", "IT": "+39",
                 "ES": "+34"}
MAIL_DOMAINS = ("gmail.example", "web.example", "post.example", "outlook.example", "mail.example")
# fmt: on

_LETTERS = str.maketrans(
    {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "ł": "l", "ı": "i", " ": ""}
)


def ascii_form(name: str) -> str:
    """Return how a name is spelled in e-mail addresses.

    >>> ascii_form("Müller"), ascii_form("Élise"), ascii_form("de Vries")
    ('mueller', 'elise', 'devries')
    """
    spelled = unicodedata.normalize("NFC", name.lower()).translate(_LETTERS)
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
