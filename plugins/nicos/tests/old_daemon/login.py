"""Passwords as daemons have wanted them: RSA of 512 bits, or hashes."""

import base64
import hashlib
import math
import random
import textwrap

E = 65537


def is_prime(number):
    power, odd = 0, number - 1
    while odd % 2 == 0:
        power, odd = power + 1, odd // 2
    for _ in range(20):
        x = pow(random.randrange(2, number - 1), odd, number)
        if x in (1, number - 1):
            continue
        if not any((x := x * x % number) == number - 1 for _ in range(power - 1)):
            return False
    return True


def prime(bits):
    while True:
        # The two highest bits are set, so that a product of two has all its bits.
        number = random.getrandbits(bits) | 0b11 << (bits - 2) | 1
        if math.gcd(number - 1, E) == 1 and is_prime(number):
            return number


def der(tag, content):
    length = len(content)
    head = bytes([length]) if length < 128 else bytes([0x81, length])
    return bytes([tag]) + head + content


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, 'big'))


class Key:
    """A key pair as the daemon makes one for each connection."""

    def __init__(self):
        p, q = prime(256), prime(256)
        self.n = p * q
        self.d = pow(E, -1, (p - 1) * (q - 1))

    def pem(self):
        content = base64.b64encode(der(0x30, integer(self.n) + integer(E))).decode()
        lines = textwrap.wrap(content, 64)
        return '\n'.join(['-----BEGIN RSA PUBLIC KEY-----', *lines, '-----END RSA PUBLIC KEY-----'])

    def decrypt(self, cipher):
        number = pow(int.from_bytes(cipher, 'big'), self.d, self.n)
        padded = number.to_bytes(64, 'big')
        assert padded[:2] == b'\x00\x02'
        return padded[padded.index(0, 2) + 1:].decode()


HASHES = {
    'sha1': lambda text: hashlib.sha1(text.encode()).hexdigest(),
    'md5': lambda text: hashlib.md5(text.encode()).hexdigest(),
    'plain': lambda text: text,
}


def accepts(hashing, key, sent, password):
    """Whether what was sent is this password, in one of the ways of `hashing`."""
    ways = hashing.split(',')
    hashed = HASHES[ways[-1]]
    if sent.startswith('RSA:'):
        return ways[0] == 'rsa' and key.decrypt(base64.b64decode(sent[4:])) == password
    return sent == hashed(password)
