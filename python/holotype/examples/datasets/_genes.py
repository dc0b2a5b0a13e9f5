"""Gene names for the synthetic expression tables."""

from __future__ import annotations

# Real human genes, so that a gene registry finds some of the names.
HUMAN_GENES = dict(
    pair.split(":")
    for pair in (
        "ENSG00000000003:TSPAN6 ENSG00000000005:TNMD ENSG00000000419:DPM1 ENSG00000000457:SCYL3 "
        "ENSG00000000938:FGR ENSG00000000971:CFH ENSG00000001036:FUCA2 ENSG00000001084:GCLC "
        "ENSG00000001167:NFYA ENSG00000001460:STPG1 ENSG00000001461:NIPAL3 ENSG00000001497:LAS1L "
        "ENSG00000001561:ENPP4 ENSG00000001617:SEMA3F ENSG00000001626:CFTR ENSG00000001629:ANKIB1 "
        "ENSG00000001630:CYP51A1 ENSG00000001631:KRIT1 ENSG00000002016:RAD52 ENSG00000002330:BAD "
        "ENSG00000002549:LAP3 ENSG00000002586:CD99 ENSG00000002587:HS3ST1 ENSG00000002726:AOC1 "
        "ENSG00000002745:WNT16 ENSG00000002746:HECW1 ENSG00000002822:MAD1L1 ENSG00000002834:LASP1 "
        "ENSG00000002919:SNX11 ENSG00000003056:M6PR"
    ).split()
)

# Markers of immune cells.
IMMUNE_SYMBOLS = (
    "CD3D CD3E CD3G CD4 CD8A CD8B CD14 CD19 CD27 CD28 CD34 CD38 CD40 CD44 CD68 CD69 CD74 CD79A CD79B CD86 "
    "MS4A1 NKG7 GNLY GZMA GZMB GZMH GZMK PRF1 KLRB1 KLRD1 FCGR3A FCER1A LYZ S100A4 S100A8 S100A9 CST3 "
    "HLA-DRA HLA-DRB1 HLA-DPA1 HLA-DPB1 HLA-DQA1 PPBP PF4 IL7R IL32 CCR7 SELL LTB TCF7 FOXP3 IL2RA CTLA4 "
    "IFNG TNF CCL3 CCL4 CCL5 CXCR4 TYROBP"
).split()


def ensembl_ids(count: int, prefix: str = "ENSG") -> list[str]:
    """Returns `count` distinct identifiers in Ensembl's form; human ones start with real genes."""
    known = list(HUMAN_GENES)[:count] if prefix == "ENSG" else []
    # Numbers from 900 million are not in use, so an invented id never names a real gene by accident.
    return known + [f"{prefix}{900_000_000 + number:011d}" for number in range(len(known), count)]


def gene_symbols(count: int) -> list[str]:
    """Returns `count` distinct gene symbols, markers of immune cells first."""
    known = IMMUNE_SYMBOLS[:count]
    return known + [f"SYN{number:05d}" for number in range(len(known), count)]
