"""Pronunciations that the dictionary lacks and the letter model gets wrong: units, file formats, robotics terms.

Same alphabet as the dictionary, which wins where both know a word.
"""

from __future__ import annotations

PRONUNCIATIONS = {
    # units and large numbers
    "amps": "ˈæmps", "atmospheres": "ˈætməsfˌɪɹz", "centiliter": "sˈɛntəlˌitəɹ", "centiliters": "sˈɛntəlˌitəɹz",
    "decimeter": "dˈɛsəmˌitəɹ", "decimeters": "dˈɛsəmˌitəɹz", "gibibyte": "ɡˈɪbəbˌIt", "gibibytes": "ɡˈɪbəbˌIts",
    "kelvins": "kˈɛlvənz", "kibibyte": "kˈɪbəbˌIt", "kibibytes": "kˈɪbəbˌIts", "kilocalorie": "kˈɪləkˌæləɹi",
    "kilocalories": "kˈɪləkˌæləɹiz", "lumens": "lˈumənz", "mebibyte": "mˈɛbəbˌIt", "mebibytes": "mˈɛbəbˌIts",
    "megajoule": "mˈɛɡəʤˌul", "megajoules": "mˈɛɡəʤˌulz", "megapixel": "mˈɛɡəpˌɪksəl", "megapixels": "mˈɛɡəpˌɪksəlz",
    "microhenry": "mˈIkɹOhˌɛnɹi", "microhenries": "mˈIkɹOhˌɛnɹiz", "microwatt": "mˈIkɹOwˌɑt",
    "microwatts": "mˈIkɹOwˌɑts", "millibars": "mˈɪləbˌɑɹz", "millifarad": "mˈɪləfˌæɹəd", "millifarads": "mˈɪləfˌæɹədz",
    "millihenry": "mˈɪləhˌɛnɹi", "millihenries": "mˈɪləhˌɛnɹiz", "millimole": "mˈɪləmˌOl", "millimoles": "mˈɪləmˌOlz",
    "millinewton": "mˈɪlənˌutən", "millinewtons": "mˈɪlənˌutənz", "newtons": "nˈutənz", "paisa": "pˈIsə",
    "paise": "pˈIsA", "petabyte": "pˈɛtəbˌIt", "petabytes": "pˈɛtəbˌIts", "tebibyte": "tˈɛbəbˌIt",
    "tebibytes": "tˈɛbəbˌIts", "gigabit": "ɡˈɪɡəbˌɪt", "gigabits": "ɡˈɪɡəbˌɪts", "gigahertz": "ɡˈɪɡəhˌɜɹts",
    "gigapascal": "ɡˈɪɡəpæskˌæl", "gigapascals": "ɡˈɪɡəpæskˌælz", "gigawatt": "ɡˈɪɡəwˌɑt", "gigawatts": "ɡˈɪɡəwˌɑts",
    "hectopascal": "hˈɛktOpæskˌæl", "hectopascals": "hˈɛktOpæskˌælz", "kilobits": "kˈɪləbˌɪts",
    "kilohertz": "kˈɪləhˌɜɹts", "kilojoule": "kˈɪləʤˌul", "kilojoules": "kˈɪləʤˌulz", "kilonewton": "kˈɪlənˌutən",
    "kilonewtons": "kˈɪlənˌutənz", "kiloohm": "kˈɪlˌOm", "kiloohms": "kˈɪlˌOmz", "kilopascal": "kˈɪləpæskˌæl",
    "kilopascals": "kˈɪləpæskˌælz", "kilovolt": "kˈɪləvˌOlt", "kilovolts": "kˈɪləvˌOlts", "megabits": "mˈɛɡəbˌɪts",
    "megaohm": "mˈɛɡˌOm", "megaohms": "mˈɛɡˌOmz", "megapascal": "mˈɛɡəpæskˌæl", "megapascals": "mˈɛɡəpæskˌælz",
    "microamp": "mˈIkɹOˌæmp", "microamps": "mˈIkɹOˌæmps", "microfarad": "mˈIkɹOfˌæɹəd", "microfarads": "mˈIkɹOfˌæɹədz",
    "microsecond": "mˈIkɹOsˌɛkənd", "microseconds": "mˈIkɹOsˌɛkəndz", "microvolt": "mˈIkɹOvˌOlt",
    "microvolts": "mˈIkɹOvˌOlts", "milliamp": "mˈɪliˌæmp", "milliamps": "mˈɪliˌæmps", "milliohm": "mˈɪliˌOm",
    "milliohms": "mˈɪliˌOmz", "milliradian": "mˈɪləɹˌAdiən", "milliradians": "mˈɪləɹˌAdiənz", "millivolt": "mˈɪləvˌOlt",
    "millivolts": "mˈɪləvˌOlts", "milliwatt": "mˈɪləwˌɑt", "milliwatts": "mˈɪləwˌɑts", "nanofarad": "nˈænOfˌæɹəd",
    "nanofarads": "nˈænOfˌæɹədz", "pascals": "pæskˈælz", "picofarad": "pˈikOfˌæɹəd", "picofarads": "pˈikOfˌæɹədz",
    "teraflops": "tˈɛɹəflˌɑps", "terahertz": "tˈɛɹəhˌɜɹts", "quadrillion": "kwɑdɹˈɪljən", "quintillion": "kwɪntˈɪljən",
    # file formats, tools, acronyms said as words
    "amoled": "ˈæmOlˌɛd", "args": "ˈɑɹɡz", "async": "ˈAsˌɪŋk", "captcha": "kˈæpʧə", "config": "kˈɑnfɪɡ",
    "cors": "kˈɔɹz", "covid": "kˈOvɪd", "crispr": "kɹˈɪspəɹ", "cuda": "kˈudə", "enum": "ˈinəm", "fifo": "fˈIfˌO",
    "fortran": "fˈɔɹtɹˌæn", "gif": "ɡˈɪf", "gitlab": "ɡˈɪtlˌæb", "gui": "ɡˈui", "grep": "ɡɹˈɛp", "imap": "ˈImˌæp",
    "init": "ɪnˈɪt", "json": "ʤˈAsən", "kubernetes": "kubəɹnˈɛtiz", "kwargs": "kwˈɑɹɡz", "lidar": "lˈIdˌɑɹ",
    "mems": "mˈɛmz", "mosfet": "mˈɔsfɛt", "moveit": "mˈuvɪt", "nand": "nˈænd", "numa": "nˈumə", "nerf": "nˈɜɹf",
    "numpy": "nˈʌmpˌI", "oauth": "ˈOˌɔθ", "oled": "ˈOlˌɛd", "onnx": "ˈɑnɪks", "param": "pəɹˈæm", "params": "pəɹˈæmz",
    "postgres": "pˈOstɡɹɛs", "pytorch": "pˈItˌɔɹʧ", "readme": "ɹˈidmi", "redis": "ɹˈɛdɪs", "regex": "ɹˈɛʤˌɛks",
    "sata": "sˈAtə", "scipy": "sˈIpˌI", "scada": "skˈAdə", "simd": "sˈɪmdˌi", "struct": "stɹˈʌkt", "sudo": "sˈudˌu",
    "tensorflow": "tˈɛnsəɹflˌO", "tiktok": "tˈɪktˌɑk", "toml": "tˈɑməl", "tuple": "tˈupəl", "unicode": "jˈunɪkˌOd",
    "varchar": "vˈɛɹkˌɑɹ", "viz": "vˈɪz", "voip": "vˈYp", "wasm": "wˈæzəm", "wysiwyg": "wˈɪziwˌɪɡ", "xor": "ˈɛksˌɔɹ",
    "yaml": "jˈæməl",
    # robotics
    "cobot": "kˈObˌɑt", "cobots": "kˈObˌɑts", "mecanum": "mˈɛkənəm", "odometry": "Odˈɑmətɹi",
    "quaternion": "kwətˈɜɹniən", "quaternions": "kwətˈɜɹniənz", "radian": "ɹˈAdiən", "radians": "ɹˈAdiənz",
    "teleop": "tˈɛliˌɑp", "waypoint": "wˈApˌYnt", "waypoints": "wˈApˌYnts",
    # sounds people write
    "messers": "mˈɛsəɹz", "brr": "bˈɜɹ", "grr": "ɡˈɜɹ", "meh": "mˈɛ", "mm": "ˈʌm", "mmm": "ˈʌm",
    "pfft": "fˈʌt", "psst": "pˈɪst", "shh": "ʃˈʌ", "zzz": "zˈɪz",
}
