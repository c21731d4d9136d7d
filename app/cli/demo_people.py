"""The people of the demo, all invented: who signs in, their accounts, and the fans of these."""

from dataclasses import dataclass

from app.accounts.models import Role

PASSWORD = "demo-password-1"
PEOPLE = (
    ("ada@example.com", "Ada Moreau", Role.CREATOR),
    ("bea@example.com", "Bea Lindqvist", Role.CREATOR),
    ("eve@example.com", "Eve Okafor", Role.CREATOR),
    ("max@example.com", "Max Berger", Role.MANAGER),
    ("olga@example.com", "Olga Petrova", Role.OPERATOR),
)
MANAGER = "max@example.com"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demo; `first_fan_id` is the platform's id of its first fan."""

    platform_id: str
    owner: str
    display_name: str
    time_zone: str
    managed: bool
    first_fan_id: int


ACCOUNTS = (
    DemoAccount("acct_demo_ada", "ada@example.com", "Ada Moreau", "Europe/Paris", True, 410_000_101),
    DemoAccount("acct_demo_bea", "bea@example.com", "Bea Bakes", "Europe/Stockholm", True, 420_000_101),
    DemoAccount("acct_demo_eve", "eve@example.com", "Eve in Clay", "America/New_York", False, 430_000_101),
)


@dataclass(frozen=True, slots=True)
class DemoFan:
    """A fan of the demo: months subscribed say what they have paid, tags are separated by spaces."""

    name: str
    handle: str
    tier: str
    months: int
    tags: str = ""
    notes: str = ""
    status: str = "active"


ADAS_FANS = (
    DemoFan(
        "Orlando Quill",
        "quill_and_ink",
        "VIP",
        14,
        "vip film",
        "Always asks for the contact sheets.",
    ),
    DemoFan("Penny Lanterne", "pennylanterne", "Gold", 9, "night-owl", "Birthday on 3 March."),
    DemoFan("Bartholomew Finch", "finch_flies", "Silver", 5, "travel"),
    DemoFan("Marigold Hayes", "goldiehayes", "VIP", 22, "vip yoga", "Been here since the first week. Be generous."),
    DemoFan("Casper Nightingale", "casper_sings", "Basic", 1, "new"),
    DemoFan("Winifred Stone", "winniestone", "Gold", 11, "film"),
    DemoFan("Jasper Tumbleweed", "tumbling_jasper", "Silver", 4, "travel"),
    DemoFan("Clementine Roux", "clem_roux", "Gold", 8, "yoga", "Prefers French."),
    DemoFan("Hugo Featherstone", "hugo.feathers", "Basic", 2),
    DemoFan("Dorothea Plum", "dotty_plum", "Silver", 6, "night-owl film"),
    DemoFan("Felix Marmalade", "felixmarmalade", "VIP", 17, "vip tips", "Tips after every set; thank him by name."),
    DemoFan("Ottilie Grey", "ottilie_grey", "Basic", 3),
    DemoFan("Rufus Copperfield", "rufus_copper", "Gold", 10, "travel"),
    DemoFan("Saffron Bell", "saffronbell", "Silver", 5, "yoga"),
    DemoFan("Leopold Winter", "leo_in_winter", "Basic", 1, "new"),
    DemoFan("Iris Cadwallader", "iris_cad", "Gold", 12, "film", "Runs a small gallery in Cardiff."),
    DemoFan("Mortimer Swann", "mortyswann", "Silver", 7),
    DemoFan("Beatrix Holloway", "trixholloway", "Basic", 2, "night-owl"),
    DemoFan("Augustin Vale", "auguste_vale", "VIP", 19, "vip film"),
    DemoFan("Philippa Marsh", "pippamarsh", "Silver", 4, "yoga"),
    DemoFan("Tobias Underhill", "toby_underhill", "Basic", 3, "travel"),
    DemoFan("Geneva Starling", "geneva_starling", "Gold", 9, "tips"),
    DemoFan("Cornelius Peck", "corneliuspeck", "Silver", 6),
    DemoFan("Lavinia Thorne", "lavinia_thorne", "Basic", 1, "new"),
    DemoFan("Ambrose Kettle", "kettle_on", "Gold", 8, "film", "Makes the tea jokes first."),
    DemoFan("Rosalind Birch", "roz_birch", "Silver", 5, "travel"),
    DemoFan("Sylvester Moon", "sylvestermoon", "Basic", 2, "night-owl", "Left in the spring.", "expired"),
    DemoFan("Henrietta Vance", "hettievance", "VIP", 15, "vip yoga"),
    DemoFan("Gideon Larkspur", "gideonlark", "Silver", 4),
    DemoFan("Matilda Frost", "tildafrost", "Basic", 1, "new"),
    DemoFan("Zebedee Crane", "zebcrane", "Gold", 7, "film"),
    DemoFan("Imogen Wilder", "imogenwilder", "Silver", 3, "travel", "", "expired"),
    DemoFan("Barnaby Thistle", "barnabythistle", "Basic", 2),
    DemoFan("Cecily Hartwell", "cecilyhartwell", "Gold", 13, "yoga tips"),
    DemoFan("Lysander Brook", "lysanderbrook", "Silver", 6, "", "", "expired"),
    DemoFan("Prudence Okoro", "pruokoro", "Basic", 1, "new"),
    DemoFan("Thaddeus Ray", "thaddeusray", "Silver", 5, "", "Stopped answering in August.", "expired"),
    DemoFan("Wilhelmina Dove", "minadove", "Basic", 4, "night-owl", "", "expired"),
    DemoFan("Ezekiel Harbour", "zekeharbour", "Basic", 1, "new", "Came from the September shout-out."),
    DemoFan("Tallulah Pike", "tallulahpike", "Basic", 1, "new"),
)
BEAS_FANS = (
    DemoFan("Norbert Pastry", "norbert_bakes", "Gold", 6, "sourdough"),
    DemoFan("Coraline Mint", "coralinemint", "Silver", 3, "cakes"),
    DemoFan("Otto Biscotti", "otto_biscotti", "VIP", 12, "vip sourdough", "Sends pictures of every loaf."),
    DemoFan("Flora Crumb", "floracrumb", "Basic", 1, "new"),
    DemoFan("Humphrey Oats", "humphreyoats", "Silver", 4),
)
EVES_FANS = (
    DemoFan("Salvador Kiln", "salvadorkiln", "VIP", 10, "vip glazes"),
    DemoFan("Willa Stoneware", "willastone", "Gold", 7, "wheel"),
    DemoFan("Percival Slip", "percyslip", "Basic", 2),
    DemoFan("Nadia Celadon", "nadiaceladon", "Silver", 5, "glazes"),
    DemoFan("Rory Raku", "roryraku", "Basic", 1, "new"),
)
FANS = {"acct_demo_ada": ADAS_FANS, "acct_demo_bea": BEAS_FANS, "acct_demo_eve": EVES_FANS}
MONTHLY_CENTS = {"Basic": 999, "Silver": 1499, "Gold": 2499, "VIP": 4999}
