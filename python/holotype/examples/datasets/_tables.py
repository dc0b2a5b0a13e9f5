"""Tables: a mini CSV, Fisher's iris measurements, gene counts and a CRISPR screen."""

from __future__ import annotations

from pathlib import Path

from holotype._optional import require
from holotype.examples.datasets._bytes import place, seeded, write_file
from holotype.examples.datasets._genes import gene_symbols

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pandas as pd

_SPECIES = ("setosa", "versicolor", "virginica")

# Sepal length, sepal width, petal length and petal width of 150 flowers in millimetres, two digits each; 50
# flowers of each species (R. A. Fisher, 1936).
_IRIS_MILLIMETRES = (
    "513514024930140247321302463115025036140254391704463414035034150244291402493115015437150248341602"
    "483014014330110158401202574415045439130451351403573817035138150354341702513715044636100251331705"
    "483419025030160250341604523515025234140247321602483116025434150452411501554214024931150250321202"
    "553513024936140144301302513415025035130345231303443213025035160651381904483014035138160246321402"
    "533715025033140270324714643245156931491555234013652846155728451363334716492433106629461352273914"
    "502035105930421560224010612947145629361367314414563045155827411062224515562539115932481861284013"
    "632549156128471264294313663044146828481467305017602945155726351055243811552437105827391260275116"
    "543045156034451667314715632344135630411355254013552644126130461458264012502333105627421357304212"
    "572942136229431351253011572841136333602558275119713059216329561865305822763066214925451773296318"
    "672558187236612565325120642753196830552157255020582851246432532365305518773867227726692360225015"
    "693257235628492077286720632749186733572172326018622848186130491864285621723058167428611979386420"
    "642856226328511561265614773061236334562464315518603048186931542167315624693151235827511968325923"
    "673357256730522363255019653052206234542359305118"
)


def file_mini_csv(in_storage_root: bool = False, *, basedir: str | Path = ".") -> Path:
    """Writes `mini.csv`: one column named `test` with the numbers 1, 2 and 3.

    Args:
        in_storage_root: Write into the root of the default storage location.
        basedir: Folder to write into otherwise; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> ln.Artifact(ln.examples.datasets.file_mini_csv(), key="example_datasets/mini.csv").save()
    """
    return write_file("test\n1\n2\n3\n", "mini.csv", place(in_storage_root, basedir))


def df_iris() -> pd.DataFrame:
    """Returns Fisher's 150 iris flowers in centimetres, with the species as a number in column `target`.

    Example:
        >>> ln.examples.datasets.df_iris().shape
        (150, 5)
    """
    pd = require("pandas")

    flowers = [
        [int(_IRIS_MILLIMETRES[place : place + 2]) / 10 for place in range(start, start + 8, 2)]
        for start in range(0, len(_IRIS_MILLIMETRES), 8)
    ]
    columns = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    df = pd.DataFrame(flowers, columns=columns)
    df["target"] = [number // 50 for number in range(150)]
    return df


def df_iris_in_meter() -> pd.DataFrame:
    """Returns Fisher's iris flowers in metres, with the species in column `iris_organism_name`.

    Example:
        >>> ln.examples.datasets.df_iris_in_meter().iris_organism_name.nunique()
        3
    """
    df = df_iris()
    target = df.pop("target")
    df.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    df = df / 100
    df["iris_organism_name"] = [_SPECIES[number] for number in target]
    return df


def df_iris_in_meter_study1() -> pd.DataFrame:
    """Returns the first 75 flowers of `df_iris_in_meter`: setosa and half of versicolor.

    Example:
        >>> len(ln.examples.datasets.df_iris_in_meter_study1())
        75
    """
    return df_iris_in_meter().iloc[:75]


def df_iris_in_meter_study2() -> pd.DataFrame:
    """Returns the last 75 flowers of `df_iris_in_meter`: half of versicolor and virginica.

    Example:
        >>> ln.examples.datasets.df_iris_in_meter_study2().index[0]
        75
    """
    return df_iris_in_meter().iloc[75:]


def file_tsv_rnaseq_nfcore_salmon_merged_gene_counts(basedir: str | Path = ".") -> Path:
    """Writes `salmon.merged.gene_counts.tsv`: counts of 120 yeast genes in five bulk RNA sequencing samples.

    Columns: `gene_id`, `gene_name` and one per sample.

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> path = ln.examples.datasets.file_tsv_rnaseq_nfcore_salmon_merged_gene_counts()
        >>> ln.loaders.load(path).shape
        (120, 7)
    """
    rng = seeded("salmon.merged.gene_counts")
    samples = "RAP1_IAA_30M_REP1 RAP1_UNINDUCED_REP1 RAP1_UNINDUCED_REP2 WT_REP1 WT_REP2".split()
    lines = ["\t".join(["gene_id", "gene_name", *samples])]
    for number in range(120):
        arm, strand = ("L", "C") if number % 2 else ("R", "W")
        gene = f"YA{arm}{number // 2 + 1:03d}{strand}"
        lines.append("\t".join([gene, gene, *(str(rng.randrange(400)) for _ in samples)]))
    return write_file("\n".join(lines) + "\n", "salmon.merged.gene_counts.tsv", basedir)


def schmidt22_crispra_gws_IFNG(basedir: str | Path = ".") -> Path:
    """Writes `schmidt22-crispra-gws-IFNG.csv`: gene scores of a synthetic CRISPR activation screen.

    One row for each of 1,000 genes, with the columns of the published screen for interferon gamma.

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> df = ln.loaders.load(ln.examples.datasets.schmidt22_crispra_gws_IFNG())
        >>> df.id.is_unique
        True
    """
    rng = seeded("schmidt22")
    genes = gene_symbols(1000)
    effects = [rng.uniform(-1, 1) ** 3 * 3 for _ in genes]
    columns = "score p-value fdr rank goodsgrna lfc".split()
    lines = [",".join(["id", "num", *(f"{side}|{name}" for side in ("neg", "pos") for name in columns)])]
    ascending = sorted(range(len(genes)), key=lambda gene: effects[gene])
    rank_up = {gene: rank for rank, gene in enumerate(ascending, start=1)}
    for number, (gene, effect) in enumerate(zip(genes, effects, strict=True)):
        fields = [gene, "6"]
        for rank in (rank_up[number], len(genes) + 1 - rank_up[number]):
            probability = rank / (len(genes) + 1)
            good = sum(1 for _ in range(6) if rng.random() > probability)
            fields += [f"{probability**2:.6g}", f"{probability:.6g}", f"{min(1.0, probability * 3):.6g}"]
            fields += [str(rank), str(good), f"{effect:.5f}"]
        lines.append(",".join(fields))
    return write_file("\n".join(lines) + "\n", "schmidt22-crispra-gws-IFNG.csv", basedir)
