"""Labelled pairs of records: 150 that are one company told twice, 150 that are two. Always the same ones.

They are made as people make them (a slip of the finger, an abbreviation, the town in the name, the old address), and
never by anything the matcher uses: no folding, no list of legal forms, no measure of likeness.
``python -m tests.services.directory.duplicates`` prints the figures and what the matcher got wrong.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

Record = dict[str, Any]

# fmt: off
PLACES: Final = (
    # town, postal code, one nearby, a street
    ("Cahors", "46000", ("Pradines", "46090"), "3 quai Ségur"),
    ("Albi", "81000", ("Saint-Juéry", "81160"), "9 lices Jean-Moulin"),
    ("Montauban", "82000", ("Bressols", "82710"), "14 avenue de l'Europe"),
    ("Saint-Étienne", "42000", ("Firminy", "42700"), "5 rue des Aciéries"),
    ("Nîmes", "30000", ("Caissargues", "30132"), "118 route de Générac"),
    ("Châteaurenard", "13160", ("Rognonas", "13870"), "Marché d'intérêt national"),
    ("Vannes", "56000", ("Séné", "56860"), "2 rue du Commerce"),
    ("Besançon", "25000", ("Thise", "25220"), "7 chemin des Founottes"),
    ("Le Havre", "76600", ("Gonfreville-l'Orcher", "76700"), "44 quai Colbert"),
    ("Dunkerque", "59140", ("Loon-Plage", "59279"), "Route des Dunes"),
)
COMPANIES: Final = (
    "Vallée du Lot Bio SARL", "Moulin des Quatre Vents", "Coopérative agricole des Causses", "Épices et Saveurs d'Ici",
    "Société Dupuy Frères", "Comptoir Occitan du Cacao", "Les Vergers de la Garonne", "Établissements Lacombe et Fils",
    "Graines d'Avenir SAS", "Terres Rouges Import", "Quinoa Pyrénées", "Maison Bergougnoux", "Agrumes du Levant",
    "La Compagnie des Thés d'Orient", "Brûlerie Saint-Michel", "Sucres et Miels d'Antan", "Oléicole de la Méditerranée",
    "Noix et Compagnie", "Océane Fruits Secs", "Biovégétal Distribution", "Le Grenier Paysan", "Soja de nos Régions",
    "Huilerie Fontanille", "Minoterie Cazeneuve", "Alpes Légumineuses", "Café Racine", "Bananes Équitables de France",
    "Riz et Céréales de Camargue", "Herboristerie Delpech", "Prairies Nourricières",
)
SHORTER: Final = (
    ("Coopérative agricole", "Coop. agri."), ("Établissements", "Ets"), ("Société", "Sté"), ("Compagnie", "Cie"),
    ("Saint-", "St "), ("Frères", "Frs"), ("Distribution", "Distrib."), ("Import", "Imp."), ("Maison", "Mson"),
)
NEIGHBOURS: Final = {"a": "z", "e": "r", "i": "o", "o": "p", "n": "b", "r": "t", "s": "d", "t": "y", "l": "m", "c": "v"}
# Pairs of companies that people confuse and that are two: another branch, another brother, another town, another trade.
STRANGERS: Final = (
    ("Domaine du Lac", "Domaine du Parc"), ("GAEC Martin", "GAEC Marti"), ("Ferme des Tilleuls", "Ferme des Peupliers"),
    ("Bio Sud Ouest", "Bio Sud Est"), ("Huilerie du Moulin", "Minoterie du Moulin"), ("Café du Port", "Criée du Port"),
    ("Nord Céréales", "Nord Légumes"), ("Les Jardins de Marie", "Les Jardins de Maria"), ("Agro Invest", "Agro Import"),
    ("Vignobles Durand", "Transports Durand"), ("Épices Rabelais", "Épices Voltaire"), ("Bio Santé", "Bio Planète"),
    ("Scierie Faure", "Laiterie Faure"), ("Moulin Neuf", "Moulin Vieux"), ("Val de Loire Noix", "Val de Saône Noix"),
    ("Atlantique Import", "Atlantis Import"), ("Terra Verde", "Terra Viva"), ("Les Trois Chênes", "Les Deux Chênes"),
    ("Fruits d'Or", "Fruits d'Oc"), ("Sud Fruits Primeurs", "Sud Épices Primeurs"), ("Cave de Gan", "Cave de Die"),
    ("Biscuiterie Leroy", "Brasserie Leroy"), ("Comptoir du Thé", "Comptoir du Café"), ("Cacao Pur", "Cacao Noir"),
    ("Arômes de Provence", "Olives de Provence"), ("Délices d'Anjou", "Délices du Poitou"), ("Ker Bio", "Mer Bio"),
    ("Île Verte", "Île Bleue"), ("Pêcheries du Ponant", "Conserverie du Ponant"), ("Lin et Chanvre", "Lin et Coton"),
)
# fmt: on


@dataclass(frozen=True)
class Pair:
    """Two records, and whether they are one company."""

    one: Record
    other: Record
    same: bool
    how: str


def record(name: str, place: tuple[str, str], street: str = "", country: str = "FR", eori: str = "") -> Record:
    """A record as the matcher reads it."""
    numbers = [{"type": "EORI", "value": eori}] if eori else []
    town, code = place
    return {
        "name": name, "country": country, "city": town, "postal_code": code, "address": street, "identifiers": numbers
    }  # fmt: skip


def slip(random: Random, name: str) -> str:
    """One wrong key."""
    at = random.choice([at for at, sign in enumerate(name) if sign in NEIGHBOURS])
    return name[:at] + NEIGHBOURS[name[at]] + name[at + 1 :]


def swapped(random: Random, name: str) -> str:
    """Two letters in the wrong order."""
    at = random.choice([at for at in range(1, len(name) - 1) if name[at : at + 2].isalpha()])
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def shorter(random: Random, name: str) -> str:
    """Abbreviated, or without its last letter where there is nothing to abbreviate."""
    for long, short in SHORTER:
        if long in name:
            return name.replace(long, short)
    return name[:-1]


def shouted(random: Random, name: str) -> str:
    """In capitals without accents, as on an invoice."""
    plain = str.maketrans("éèêàâçîôûÉÎŒ", "eeeaaciouEIO")
    return name.translate(plain).upper()


def joined(random: Random, name: str) -> str:
    """Two words written as one."""
    blanks = [at for at, sign in enumerate(name) if sign in " -"]
    at = random.choice(blanks)
    return name[:at] + name[at + 1 :].lower()


def formed(random: Random, name: str) -> str:
    """With a legal form, or another one."""
    bare = name.removesuffix(" SARL").removesuffix(" SAS")
    return random.choice([f"{bare} S.A.R.L.", f"SAS {bare}", f"{bare} S.A.S.U.", f"S.A. {bare}"])


def turned(random: Random, name: str) -> str:
    """The last word first, with a comma: as in a card index."""
    *first, last = name.split(" ")
    return f"{last}, {' '.join(first)}" if first else name


def doubled(random: Random, name: str) -> str:
    """A letter too many or, where there are two, one too few."""
    for sign in ("ll", "nn", "rr", "ss", "mm", "tt"):
        if sign in name:
            return name.replace(sign, sign[0], 1)
    at = random.choice([at for at, sign in enumerate(name) if sign in "lnrst"])
    return name[:at] + name[at] + name[at:]


WAYS: Final[tuple[Callable[[Random, str], str], ...]] = (
    slip, swapped, shorter, shouted, joined, formed, turned, doubled
)  # fmt: skip


def one_company(random: Random) -> Iterator[Pair]:
    """One company told twice."""
    for number in range(150):
        name = COMPANIES[number % len(COMPANIES)]
        town, code, nearby, street = random.choice(PLACES)
        way = WAYS[(number + number // len(COMPANIES)) % len(WAYS)]
        told, how = way(random, name), way.__name__
        place, where = (town, code), street
        if number % 5 == 1:
            told, how = f"{told} {town}", f"{how}, with the town"
        if number % 5 == 2:
            place, how = nearby, f"{how}, from the next town"
            told = formed(random, name) if way is not formed else told
            how = "another legal form, from the next town"
        if number % 5 == 3:
            where, how = "", f"{how}, without a street"
        if number % 10 == 4:
            numbers = f"FR{random.randrange(10**13):014d}"
            renamed = slip(random, f"{name.split(' ')[0]} International")
            yield Pair(
                record(name, (town, code), street, eori=numbers),
                record(renamed, nearby, eori=f"{numbers[:5]} {numbers[5:]}"),
                True,
                "another name with the same EORI",
            )
            continue
        yield Pair(record(name, (town, code), street), record(told, place, where), True, how)


def two_companies(random: Random) -> Iterator[Pair]:
    """Two companies that resemble each other."""
    for number in range(150):
        one, other = STRANGERS[number % len(STRANGERS)]
        town, code, nearby, street = random.choice(PLACES)
        kind = number // len(STRANGERS)
        if kind == 0:
            yield Pair(record(one, (town, code), street), record(other, (town, code), street), False, "one street")
        elif kind == 1:
            yield Pair(record(one, (town, code)), record(other, nearby), False, "the next town")
        elif kind == 2:
            name, far = COMPANIES[number % len(COMPANIES)], random.choice([each for each in PLACES if each[0] != town])
            another = COMPANIES[(number * 7 + 3) % len(COMPANIES)]
            yield Pair(record(name, (town, code)), record(another, (far[0], far[1])), False, "nothing alike")
        elif kind == 3:
            name = COMPANIES[number % len(COMPANIES)]
            yield Pair(record(name, (town, code)), record(name, (town, code), country="BE"), False, "another country")
        else:
            first = COMPANIES[number % len(COMPANIES)].split(" ")[0]
            yield Pair(
                record(f"{first} {one}", (town, code), street),
                record(f"{first} {COMPANIES[(number + 11) % len(COMPANIES)]}", (town, code), street),
                False,
                "a word in common",
            )


def pairs() -> list[Pair]:
    """All 300."""
    random = Random(1958)
    return [*one_company(random), *two_companies(random)]


@dataclass(frozen=True)
class Figures:
    """How good a judgement is."""

    recall: float
    precision: float
    missed: tuple[Pair, ...]
    mistaken: tuple[Pair, ...]


def judged(says: Callable[[Record, Record], bool]) -> Figures:
    """What somebody's judgement is worth on all pairs, asked both ways round."""
    told = [(pair, says(pair.one, pair.other) and says(pair.other, pair.one)) for pair in pairs()]
    hits = sum(pair.same and said for pair, said in told)
    missed = tuple(pair for pair, said in told if pair.same and not said)
    mistaken = tuple(pair for pair, said in told if said and not pair.same)
    return Figures(hits / (hits + len(missed)), hits / (hits + len(mistaken)), missed, mistaken)


def main() -> None:
    """Print the figures, and what was got wrong."""
    from services.directory.records import alike

    figures = judged(lambda one, other: alike(one, other) is not None)
    for title, wrong in (("missed", figures.missed), ("mistaken", figures.mistaken)):
        for pair in wrong:
            towns = f"{pair.one['city']} / {pair.other['city']}"
            print(f"{title:<9} {pair.one['name']} | {pair.other['name']} ({towns}; {pair.how})")
    print(f"recall {figures.recall:.3f}, precision {figures.precision:.3f} on {len(pairs())} pairs")


if __name__ == "__main__":
    main()
