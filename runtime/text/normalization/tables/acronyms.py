"""Acronyms: runs of letters spoken as words or letter by letter, and the spelling of letter names.

Capitals that are in none of the tables are spelled out, unless they read as an English word.
"""

from __future__ import annotations

import re

from .common_words import COMMON_WORDS

LETTERS = {letter: letter for letter in "bcdefghijklmnopqrstuvwxyz"} | {"a": "ae"}
"""Words whose dictionary entry is the letter's name; a lone `a` is the article, so that letter has its own spelling."""

_SPOKEN_LIST = """
    aids ajax amoled anova arm asap ascii bash basic bert bios cad captcha cern cobol cors covid crispr cron cuda
    dall docker dos dram eeprom epic eprom eula fema fifa fifo fortran gazebo gif gnu grep grub gui hal ikea imap imax
    jetson jpeg json kafka laser lidar lifo lisp llama lora mems mers midi mips mosfet moveit mpeg nafta nand nasa
    nasdaq nato nerf nimby nor numa nvidia oauth oled onnx opec orin osha pascal pin ping prolog pytorch
    radar raid ram readme redis regex rest risc rom ros saas sars sata scada scuba sim simd slam soap sonar sram
    sudo swat taser toml tops uart ubuntu unesco unicef unicode unix varchar voip wasm wifi woke wysiwyg xor yaml yaw
    yolo zip
"""
_SPOKEN = frozenset(_SPOKEN_LIST.split())
"""Acronyms that are pronounceable and pronounced."""

_SPELLED_LIST = """
    abi acl adc aes afaik afk agi ai amd api asr aws bbc bfs bgp bldc btw cbr cdc cdn ceo cfd cfo cgi cia cli cnc
    cnn cpp cpu crc crm crt css csv cto cv dc ddos ddr dfs dhcp diy dji dlc dll dma dna dnn dns dof dpi dps
    dsp dvd ebpf ecu eeg ekf emg eu faq fbi fft fm fpga ftp fyi gcc gdb gdp gdpr gmbh gmt gnss gpio gps
    gpt gpu gsm gtx hdd hdmi hdr hiv hmi html http https hvac iaea ibm ide ieee iirc ik imho imu io iot ip ipc ipo
    isbn isp jdk jfk jpg js jsx jvm jwt kde kfc kgb kpi lcd lgbt llc llm lqr lstm lte mcu mit ml mlp mpc mpu mqtt
    mri mtv nba nbc ndt nfc nfl nfs ngo nhl nhs nlp nlu nmea npm npu ntp nvme nyc nypd ocr oem os osx pcb pci pcm
    pdf php pid pki plc png pov psi psu pvc pwm qa qr rc rf rfc rfid rgb rgbd rnn rpc rpi rss rtk rtos rtsp
    rtx sd sdf sdk sdr seo sfo sla sms smtp sos spi srdf srt ssd ssh ssl ssn ssr stl stm stt svg svm tcp tdp tft
    tls tpu tsa tsv tts uav udp ufo ugv ui uk urdf uri url usa usb usd utc utf uuid uv uwb ux vfx vhf 
    vlm vm voc vpn vps vr wpa wsl www xml xmpp xyz
"""
_SPELLED = frozenset(_SPELLED_LIST.split())
"""Initialisms that are spelled out even in small letters."""

_RESPELLED = {
    "aka": "ae k ae", "saas": "sass", "paas": "pass", "iaas": "i ass", "ws": "w s", "yolo": "yolo", "apis": "ae p i's",
    "approx": "approximately", "appt": "appointment", "assn": "association", "attn": "attention", "avg": "average",
    "blvd": "boulevard", "bros": "brothers", "cfg": "config", "chatgpt": "chat g p t", "chmod": "change mod",
    "cm": "centimeters", "cmake": "c make", "cmd": "command", "ctrl": "control", "cudnn": "c u d n n",
    "dept": "department", "dram": "d ram", "ebay": "e bay", "eeprom": "e e prom", "eprom": "e prom", "etc": "et cetera",
    "excl": "excluding", "exe": "e x e", "fp": "f p", "fps": "frames per second", "govt": "government", "hwy": "highway",
    "id": "i d", "ids": "i d's", "img": "image", "incl": "including", "ios": "i o s", "ipv": "i p v", "jpeg": "jay peg",
    "kbd": "keyboard", "kbps": "kilobits per second", "kg": "kilograms", "km": "kilometers", "ltd": "limited",
    "macos": "mac o s", "misc": "miscellaneous", "mp": "m p", "mpeg": "em peg", "mph": "miles per hour", "msg": "message",
    "mysql": "my sequel", "nginx": "engine x", "ok": "okay", "opencv": "open c v", "pcie": "p c i e", "phd": "p h d",
    "phds": "p h d's", "pkg": "package", "pkwy": "parkway", "postgresql": "postgres q l", "py": "pie",
    "resp": "respectively", "rpm": "revolutions per minute", "rviz": "r viz", "sdram": "s d ram", "sql": "sequel",
    "sqlite": "sequel light", "sram": "s ram", "src": "source", "std": "standard", "stderr": "standard error",
    "stdin": "standard in", "stdout": "standard out", "tldr": "t l d r", "tmp": "temp", "tv": "t v", "tvs": "t v's",
    "univ": "university", "usr": "user", "vlan": "v lan", "wlan": "w lan",
}
"""Words and short forms that are said otherwise than they are written, in any case."""

_SMALL_ONLY = {"cf": "compare", "eg": "for example", "vs": "versus"}
_WHOLE = frozenset(
    ("github", "gitlab", "latex", "lidar", "nvidia", "numpy", "pytorch", "scipy", "tensorflow", "ubuntu", "wifi", "youtube")
)
"""Mixed-case names that the phonemizer knows as one word."""

_CAPITALS = re.compile(r"([A-Z]{2,})('?s)?")
_VOWEL = re.compile(r"[AEIOU]")
_ONSET = r"(?:B[LR]?|C[HLR]?|D[R]?|F[LR]?|G[LR]?|P[LR]?|S[CHKLMNPTW]?|T[HRW]?|W[HR]?|[HJKLMNRVYZ])"
_CODA = r"(?:C[KHT]?|F[FT]?|L[DFKLMPT]?|M[P]?|N[DGKT]?|P[T]?|R[DKLMNPT]?|S[HKPST]?|T[HT]?|[BDGKVXZ])"
_SYLLABLES = re.compile(rf"{_ONSET}[AEIOU]{{1,2}}{_CODA}(?:[AEIOUY]{_CODA}?)?S?")


SPECIAL = _SPELLED | _RESPELLED.keys() | _SMALL_ONLY.keys() | _WHOLE | {word + "s" for word in _SPELLED if len(word) > 2}
"""Lower-case words that are not said as they are written."""


def spell(letters: str) -> str:
    """ "GPU" to "g p u"."""
    return " ".join(LETTERS[letter] for letter in letters.lower() if letter in LETTERS)


def is_emphasis(word: str) -> bool:
    """Return whether capitals probably are a shouted word: an everyday one, a pronounceable one, or a long one."""
    upper = word.upper()
    if word.lower() in COMMON_WORDS or (len(word) > 5 and _VOWEL.search(upper)):
        return True
    return len(word) >= 4 and _SYLLABLES.fullmatch(upper) is not None


def is_acronym(word: str) -> bool:
    """Return whether a run of letters is a known acronym, said as a word or not."""
    return word.lower() in _SPELLED or word.lower() in _SPOKEN or word.lower() in _RESPELLED


def known_reading(word: str) -> str | None:
    """The reading of a word that its letters do not tell, whatever their case, such as "id", "gpus" or "GitHub"."""
    lower = word.lower()
    if lower in _SMALL_ONLY and word != word.upper():
        return _SMALL_ONLY[lower]
    if lower in _RESPELLED:
        return _RESPELLED[lower]
    if lower in _WHOLE:
        return lower
    if lower in _SPELLED:
        return spell(lower)
    if len(lower) > 3 and lower.endswith("s") and lower[:-1] in _SPELLED:
        return spell(lower[:-1]) + "'s"
    return None


def capitals(word: str) -> str | None:
    """ "NASA" to "nasa", "GPU" to "g p u", "PCs" to "p c's"; nothing for a word that is not all capitals."""
    found = _CAPITALS.fullmatch(word)
    if found is None:
        return None
    letters, suffix = found[1], found[2] or ""
    if letters.lower() in _SPOKEN or is_emphasis(letters):
        return letters.lower() + suffix
    return spell(letters) + ("'s" if suffix else "")
